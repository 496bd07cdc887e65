import type { Severity } from './finding.ts';
import type { JudgedFor } from './rule.ts';

/** One control of a published benchmark and the rules that answer it. */
export interface ProfileControl {
  /** As the newest edition named in the profile writes it: `5.2.3`. */
  readonly id: string;
  /** What it asks for, in our words: benchmarks own theirs. */
  readonly title: string;
  /** `manual`: what the rules find informs, and a person decides. */
  readonly assessment: 'automated' | 'manual';
  /** Rule ids; empty where no rule can answer it. */
  readonly rules: readonly string[];
  /** Ids of the same control in other editions of the benchmark, by edition. */
  readonly otherIds?: Readonly<Record<string, string>>;
  /** False where id or title come from a weak source: `note` says which. */
  readonly verified: boolean;
  /** What a person still has to look at, because no rule does. */
  readonly notCovered?: string;
  /** How its rules read it, and where they differ by version. */
  readonly note?: string;
}

/** A named selection of rules mapped to the controls of a published benchmark. */
export interface Profile {
  /** `cis-docker-1.6` */
  readonly id: string;
  readonly title: string;
  /** Name and version of the benchmark, as it names itself. */
  readonly benchmark: string;
  readonly source: string;
  /** What of the benchmark this profile says nothing about. */
  readonly notCovered: string;
  readonly controls: readonly ProfileControl[];
  /** Severities this profile asks for instead of the rules' own. */
  readonly severities?: Readonly<Record<string, Severity>>;
  readonly podSecurity?: NonNullable<JudgedFor['podSecurity']>;
}

/** The ids of all rules a profile selects, sorted. */
export function rulesOfProfile({ controls }: Profile): readonly string[] {
  return [...new Set(controls.flatMap(({ rules }) => rules))].toSorted();
}

/** The id of a control in an edition that `otherIds` names; its own id for any other. */
export function controlIdIn({ id, otherIds = {} }: ProfileControl, edition: string): string {
  return Object.hasOwn(otherIds, edition) ? (otherIds[edition] ?? id) : id;
}
