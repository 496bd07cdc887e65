import type { Severity } from './finding.ts';
import type { JudgedFor } from './rule.ts';

/** One control of a published benchmark and the rules that answer it. */
export interface ProfileControl {
  /** As the benchmark writes it: `5.2.3`. */
  readonly id: string;
  readonly title: string;
  /** Rule ids; empty where no rule can answer it. */
  readonly rules: readonly string[];
  /** Ids of the same control in other editions of the benchmark, by edition. */
  readonly otherIds?: Readonly<Record<string, string>>;
  /** False where id or title come from a weak source: `note` says which. */
  readonly verified: boolean;
  /** What the rules do not cover of it, or cover beyond it. */
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
  readonly controls: readonly ProfileControl[];
  /** Severities this profile asks for instead of the rules' own. */
  readonly severities?: Readonly<Record<string, Severity>>;
  readonly podSecurity?: NonNullable<JudgedFor['podSecurity']>;
}

/** The ids of all rules a profile selects, sorted. */
export function rulesOfProfile({ controls }: Profile): readonly string[] {
  return [...new Set(controls.flatMap(({ rules }) => rules))].toSorted();
}
