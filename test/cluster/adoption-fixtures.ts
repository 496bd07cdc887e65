import { join } from 'node:path';
import type { Workload } from '../../src/core/workload.ts';
import { readManifests, scanInputs } from '../../src/manifests/index.ts';

export const FIXTURES = join(import.meta.dirname, '../fixtures/adoption');

/** Workloads of well-known shapes, read from their files. */
export function adoptionFixtures(): readonly Workload[] {
  const options = { cwd: FIXTURES, render: false };
  const read = [...scanInputs(['.'], options)].map((input) => readManifests(input, options));
  const problems = read.flatMap((manifests) => manifests.problems);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return read.flatMap(({ workloads }) => workloads);
}
