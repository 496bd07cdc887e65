import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Baseline, parseBaseline } from '../core/baseline.ts';
import type { AuditPolicy, PolicySource } from '../core/policy.ts';
import { parsePolicy } from '../core/policy.ts';
import { placeText } from '../report/scan-report.ts';
import { RULE_IDS } from '../core/rule-ids.ts';
import { PROFILES } from '../rules/profiles/index.ts';
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

async function readPolicy(path: string, cwd: string): Promise<AuditPolicy | Refusal> {
  const text = readControlFile(cwd, '--policy', path);
  if (typeof text !== 'string') return text;
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    return { refusal: `option '--policy': ${path}:${line}:${col} ${error.message}` };
  }
  const source: PolicySource = {
    ruleIds: RULE_IDS,
    profileIds: PROFILES.map(({ id }) => id),
    locate(field) {
      for (let length = field.length; length >= 0; length -= 1) {
        const node: unknown = length === 0 ? document.contents : document.getIn(field.slice(0, length), true);
        const range = (node as { readonly range?: readonly [number, number, number] | null } | null | undefined)?.range;
        if (!range) continue;
        const [start, end] = [lines.linePos(range[0]), lines.linePos(range[1])];
        return { file: path, line: start.line, column: start.col, endLine: end.line, endColumn: end.col };
      }
      return { file: path, line: 1, column: 1, endLine: 1, endColumn: 1 };
    },
  };
  const parsed = parsePolicy(document.toJS({ maxAliasCount: 100 }), source);
  if (parsed.ok) return parsed.policy;
  const errors = parsed.errors.map(({ field, message, place }) => `${placeText(place)} ${field} ${message}`);
  return { refusal: `option '--policy': ${errors.join('\n  ')}` };
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
