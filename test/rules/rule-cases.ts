import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Status } from '../../src/core/finding.ts';
import type { HostTreeSpec } from '../support/host-tree.ts';

/** One host and the answer a rule must give on it. */
export interface RuleCase {
  /** A sentence: what is so on this host. */
  readonly name: string;
  readonly host: HostTreeSpec;
  /** Start of the id of the container judged, where the host has several. */
  readonly container?: string;
  /** Part of the message. */
  readonly message: string;
  /** Message and evidence are given in full. */
  readonly whole?: boolean;
  /** Part of the fix, `null` for a failure that must offer none. */
  readonly fix?: string | null;
  /** Part of one line of evidence, `source: value`. */
  readonly evidence?: string;
}

export const STATUSES = ['pass', 'fail', 'unknown', 'not-applicable'] as const satisfies readonly Status[];

/** The cases of one rule by the answer expected. */
export type RuleCases = Readonly<Partial<Record<Status, readonly RuleCase[]>>>;

const DIRECTORY = new URL('../fixtures/rules/', import.meta.url);
const CASE_KEYS = ['name', 'host', 'container', 'message', 'whole', 'fix', 'evidence'];
const HOST_KEYS = [
  'files',
  'links',
  'directories',
  'processes',
  'kernel',
  'sysctls',
  'namespaces',
  'packages',
  'programs',
  'denied',
];

/** Ids of the rules that have a file of cases. */
export function rulesWithCases(): readonly string[] {
  return readdirSync(DIRECTORY).map((name) => name.replace(/\.yaml$/, ''));
}

/**
 * The cases of test/fixtures/rules/RULE.yaml. `${a1}` stands for a container id: the digits repeated to 64. Keys that start
 * with `x-` hold anchors for `<<`.
 */
export function readCases(rule: string): RuleCases {
  const text = readFileSync(new URL(`${rule}.yaml`, DIRECTORY), 'utf8');
  const data = parse(expandIds(text), { merge: true }) as Record<string, unknown>;
  const entries = Object.entries(data).filter(([key]) => !key.startsWith('x-'));
  refuse(
    rule,
    entries.map(([key]) => key),
    STATUSES,
  );
  const cases = Object.fromEntries(entries) as RuleCases;
  for (const one of Object.values(cases).flat()) {
    refuse(`${rule}: ${one.name}`, Object.keys(one), CASE_KEYS);
    refuse(`${rule}: ${one.name}`, Object.keys(one.host), HOST_KEYS);
  }
  return cases;
}

function expandIds(text: string): string {
  return text.replace(/\$\{([0-9a-f]+)\}/g, (_, digits: string) => digits.repeat(64).slice(0, 64));
}

function refuse(where: string, keys: readonly string[], allowed: readonly string[]): void {
  const odd = keys.filter((key) => !allowed.includes(key));
  if (odd.length > 0) throw new Error(`${where}: unknown key ${odd.join(', ')}`);
}
