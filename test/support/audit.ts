import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { NodeReport, ReportedContainer } from '../../src/report/node-report.ts';

/** The bundle that `make build` writes: what a user runs. */
export const CLI = join(import.meta.dirname, '../../dist/userns-audit.cjs');

/** A finished run of the command line. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `userns-audit ARGS`. */
export function runCli(...args: readonly string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { code: status, stdout, stderr };
}

/** One audit of this machine. */
export function auditMachine(): NodeReport {
  return parseReport(runCli('node', '-o', 'json', '--fail-on', 'never').stdout);
}

export function parseReport(text: string): NodeReport {
  return JSON.parse(text) as NodeReport;
}

/** The container with an id; the machine may run others at the same time. */
export function containerIn({ containers }: NodeReport, id: string): ReportedContainer {
  const found = containers.filter((container) => container.id === id);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} containers ${id} in the report`);
  return found[0];
}

/** Statuses of one container's findings by rule. */
export function statusesOf({ findings }: NodeReport, id: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    findings
      .filter(({ subject }) => subject.kind === 'Container' && subject.id === id)
      .map(({ rule, status }) => [rule, status]),
  );
}
