import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Baseline, parseBaseline } from '../core/baseline.ts';
import type { AuditPolicy } from '../core/policy.ts';
import { readControlFile, type Refusal } from './control-files.ts';

/** The files that steer a judgement. */
export interface Controls {
  readonly policy?: AuditPolicy;
  readonly baseline?: Baseline;
}

interface ControlFlags {
  readonly policy?: string;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
}

/** Reads what the command line names. What is not understood refuses the run: a control that silently does nothing is a hole. */
export async function readControls(flags: ControlFlags, cwd: string): Promise<Controls | Refusal> {
  const policy = flags.policy === undefined ? undefined : await readPolicy(flags.policy, cwd);
  if (policy && 'refusal' in policy) return policy;
  const baseline = readBaseline(flags, cwd);
  if (baseline && 'refusal' in baseline) return baseline;
  return { ...(policy ? { policy } : {}), ...(baseline ? { baseline } : {}) };
}

/** Most runs have none, and start without what reads it. */
async function readPolicy(path: string, cwd: string): Promise<AuditPolicy | Refusal> {
  const { readPolicyFile } = await import('./policy-file.ts');
  return readPolicyFile(path, cwd);
}

function readBaseline({ baseline: path, updateBaseline }: ControlFlags, cwd: string): Baseline | Refusal | undefined {
  if (path === undefined) return undefined;
  if (updateBaseline && !existsSync(resolve(cwd, path))) return undefined;
  const text = readControlFile(cwd, '--baseline', path);
  if (typeof text !== 'string') {
    return { refusal: `${text.refusal}; --update-baseline writes it` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { refusal: `option '--baseline ${path}': ${(error as Error).message}` };
  }
  const parsed = parseBaseline(value);
  return parsed.ok ? parsed.baseline : { refusal: `option '--baseline ${path}': it ${parsed.error}` };
}
