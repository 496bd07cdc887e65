import { resolve } from 'node:path';
import { RULE_IDS } from '../core/rule-ids.ts';
import { judgeManifests } from '../core/judge-manifests.ts';
import { LATEST_KUBERNETES_VERSION } from '../core/pod-user-namespace.ts';
import type { ScanProblem } from '../core/scan-finding.ts';
import { printable } from '../core/text.ts';
import type { WaiverComment } from '../core/waiver.ts';
import type { Workload } from '../core/workload.ts';
import {
  fixManifests,
  type FixResult,
  type Manifests,
  readManifests,
  scanInputs,
  type WorkloadEdits,
} from '../manifests/index.ts';
import type { Paint } from '../report/paint.ts';
import { isOpen, placeText, plural } from '../report/scan-report.ts';
import { MANIFEST_RULES } from '../rules/index.ts';
import { FIXABLE_RULES } from './fixable-rules.ts';
import { unknownName } from './option-values.ts';
import { planEdits, type PlannedEdits } from './fix-edits.ts';
import type { FixFlags } from './fix-command.ts';
import { readOptionsOf, waiverCommentsOf } from './gather-manifests.ts';
import { type Controls, readControls } from './scan-controls.ts';
import type { Terminal } from './terminal.ts';
import { writeFileAtomic } from './write-file.ts';

interface Run {
  readonly flags: FixFlags;
  readonly controls: Controls;
  readonly terminal: Terminal;
  readonly createPatch: CreatePatch;
}

type CreatePatch = (path: string, before: string, after: string) => string;

interface Tally {
  edits: number;
  files: number;
  readonly refused: string[];
  readonly unjudged: ScanProblem[];
  failed: boolean;
}

/** `userns-audit fix`: prints a patch, or writes the edited files, and says what has to be done by hand. */
export async function fix(paths: readonly string[], flags: FixFlags, terminal: Terminal): Promise<0 | 2> {
  const unknown = unknownName('--rule', flags.rule, FIXABLE_RULES);
  const options = unknown === undefined ? readOptionsOf(flags, terminal.cwd) : { refusal: unknown };
  const controls = 'refusal' in options ? options : await readControls(flags, terminal.cwd);
  if ('refusal' in options || 'refusal' in controls) {
    terminal.tell(`error: ${'refusal' in controls ? controls.refusal : ''}\n`);
    return 2;
  }
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
  const createPatch: CreatePatch = (path, before, after) =>
    createTwoFilesPatch(`a/${path}`, `b/${path}`, before, after, undefined, undefined, {
      headerOptions: FILE_HEADERS_ONLY,
    });
  const run = { flags, controls, terminal, createPatch };
  const tally: Tally = { edits: 0, files: 0, refused: [], unjudged: [], failed: false };
  for (const input of scanInputs(paths, options)) {
    const manifests = readManifests(input, options);
    tally.unjudged.push(...manifests.problems.filter(({ fatal }) => fatal));
    fixInput(manifests, run, tally);
  }
  conclude(tally, flags, terminal);
  return tally.unjudged.length > 0 || tally.failed ? 2 : 0;
}

function fixInput(manifests: Manifests, run: Run, tally: Tally): void {
  const waiverComments = waiverCommentsOf(manifests);
  const planned = manifests.workloads.map((workload) => ({ workload, plan: planFor(workload, waiverComments, run) }));
  for (const { workload, plan } of planned) {
    for (const { rule, reason } of plan.refused) tally.refused.push(refusal(workload, rule, reason));
  }
  const edits: readonly WorkloadEdits[] = planned
    .filter(({ plan }) => plan.edits.length > 0)
    .map(({ workload, plan }) => ({ workload, edits: plan.edits }));
  if (edits.length === 0 && manifests.input.origin !== 'stdin') return;
  const result = editedManifests(manifests, edits, run, tally);
  if (result === undefined) return;
  for (const { workload, edit, reason } of result.refused) {
    tally.refused.push(refusal(workload, edit.path.join('.'), reason));
  }
  publish(manifests, result, run, tally);
}

/** Undefined for a file that can not be edited, which keeps no other back. */
function editedManifests(
  manifests: Manifests,
  edits: readonly WorkloadEdits[],
  { terminal }: Run,
  tally: Tally,
): FixResult | undefined {
  try {
    return fixManifests(manifests, edits);
  } catch (error) {
    tally.failed = true;
    terminal.tell(`error: ${manifests.input.path} can not be edited: ${(error as Error).message}\n`);
    return undefined;
  }
}

/** What waivers and exceptions accept is left alone, so each workload is judged as a scan would. */
function planFor(workload: Workload, waiverComments: readonly WaiverComment[], run: Run): PlannedEdits {
  const { flags, controls, terminal } = run;
  const version = flags.kubernetesVersion ?? LATEST_KUBERNETES_VERSION;
  const { findings } = judgeManifests({
    workloads: [workload],
    sccs: [],
    version,
    catalogue: { rules: MANIFEST_RULES, profiles: [], ruleIds: RULE_IDS },
    choice: { rules: flags.rule ?? ['user-namespace'] },
    ...(controls.policy ? { policy: controls.policy } : {}),
    waiverComments,
    today: terminal.today,
    partial: true,
  });
  return planEdits(workload, new Set(findings.filter(isOpen).map(({ rule }) => rule)), version);
}

function publish({ input }: Manifests, result: FixResult, run: Run, tally: Tally): void {
  const { flags, terminal, createPatch } = run;
  const changed = result.text !== result.before;
  tally.edits += result.applied.length;
  if (changed) tally.files += 1;
  if (flags.write && input.origin === 'stdin') {
    terminal.print(result.text);
    return;
  }
  if (!changed) return;
  if (!flags.write) {
    const path = input.path.replace(/^\/+/, '');
    terminal.print(paintPatch(createPatch(path, result.before, result.text), terminal.paint));
    return;
  }
  try {
    writeFileAtomic(resolve(terminal.cwd, input.absolutePath), result.text);
  } catch (error) {
    tally.failed = true;
    terminal.tell(`error: ${input.path} can not be written: ${(error as Error).message}\n`);
  }
}

function refusal(workload: Workload, what: string, reason: string): string {
  const name = `${workload.kind} ${workload.namespace === undefined ? '' : `${workload.namespace}/`}${workload.name}`;
  return `${placeText(workload.locate([]))}  ${printable(name)}: ${what} is left as it is: ${printable(reason, 600)}`;
}

function conclude({ edits, files, refused, unjudged }: Tally, { write }: FixFlags, { tell }: Terminal): void {
  for (const line of refused) tell(`by hand     ${line}\n`);
  for (const { place, message } of unjudged) tell(`not judged  ${placeText(place)}  ${printable(message, 600)}\n`);
  const what = `${plural(edits, 'edit')} in ${plural(files, 'file')}`;
  if (edits === 0) tell('nothing to edit\n');
  else tell(write ? `${what} written\n` : `${what}; --write applies ${edits === 1 ? 'it' : 'them'}\n`);
}

function paintPatch(patch: string, paint: Paint): string {
  return patch
    .split('\n')
    .map((line) => {
      if (/^(?:---|\+\+\+) /.test(line)) return paint('strong', line);
      if (line.startsWith('+')) return paint('good', line);
      return line.startsWith('-') ? paint('bad', line) : line;
    })
    .join('\n');
}
