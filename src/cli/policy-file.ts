import { LineCounter, parseDocument } from 'yaml';
import { type AuditPolicy, parsePolicy, type PolicySource } from '../core/policy.ts';
import { RULE_IDS } from '../core/rule-ids.ts';
import { placeText } from '../report/scan-report.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { readControlFile, type Refusal } from './control-files.ts';

/** `--policy`: an AuditPolicy in a file. What is wrong is told by its line. */
export function readPolicyFile(path: string, cwd: string): AuditPolicy | Refusal {
  const text = readControlFile(cwd, '--policy', path);
  if (typeof text !== 'string') return text;
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
