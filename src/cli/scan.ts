import { relative, resolve } from 'node:path';
import { type BaselineEntry, createBaseline, serializeBaseline } from '../core/baseline.ts';
import { judgeManifests, type ManifestJudgement, type RuleChoice } from '../core/judge-manifests.ts';
import { LATEST_KUBERNETES_VERSION } from '../core/pod-user-namespace.ts';
import type { ScanResult } from '../core/scan-finding.ts';
import type { ReadOptions } from '../manifests/index.ts';
import { plain } from '../report/paint.ts';
import type { RenderOptions } from '../report/scan-formats.ts';
import { verdictLine } from '../report/scan-headline.ts';
import { outputConflict, type ScanFormat, type ScanOutput } from '../report/scan-output.ts';
import { plural, scanExitCode, type ScanReport } from '../report/scan-report.ts';
import { renderScanText } from '../report/scan-text.ts';
import { RULE_IDS } from '../core/rule-ids.ts';
import { selectRules } from '../core/rule-selection.ts';
import { MANIFEST_RULES } from '../rules/index.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import { countAdoption } from '../cluster/adoption-plan.ts';
import type { Refusal } from './control-files.ts';
import {
  allowUnparsable,
  type GatheredManifests,
  gatherManifests,
  isDirectory,
  readOptionsOf,
} from './gather-manifests.ts';
import type { ScanFlags } from './scan-command.ts';
import { unknownName } from './option-values.ts';
import { type Controls, readControls } from './scan-controls.ts';
import type { Terminal } from './terminal.ts';
import { writeFileAtomic } from './write-file.ts';

const CATALOGUE = { rules: MANIFEST_RULES, profiles: PROFILES, ruleIds: RULE_IDS };

interface Run {
  readonly paths: readonly string[];
  readonly flags: ScanFlags;
  readonly controls: Controls;
  readonly terminal: Terminal;
}

/** `userns-audit scan`: reads, judges, reports, and answers with the exit code. */
export async function scan(paths: readonly string[], flags: ScanFlags, terminal: Terminal): Promise<0 | 1 | 2> {
  const outputs = flags.output ?? [{ format: 'text' }];
  const prepared = await prepare(flags, outputs, terminal.cwd);
  if ('refusal' in prepared) {
    terminal.tell(`error: ${prepared.refusal}\n`);
    return 2;
  }
  const run = { paths, flags, controls: prepared.controls, terminal };
  const gathered = gatherManifests(paths, prepared.options, terminal);
  const judgement = judge(gathered, run);
  if (flags.updateBaseline) return updateBaseline(gathered, judgement, run);
  const report = createReport(gathered, judgement, run);
  return (await publish(report, outputs, run)) ? report.exitCode : 2;
}

async function prepare(
  flags: ScanFlags,
  outputs: readonly ScanOutput[],
  cwd: string,
): Promise<{ readonly options: ReadOptions; readonly controls: Controls } | Refusal> {
  const conflict = outputConflict(outputs);
  if (conflict !== undefined) return { refusal: `option '--output': ${conflict}` };
  if (flags.updateBaseline && flags.baseline === undefined)
    return { refusal: '--update-baseline needs --baseline FILE' };
  const unknown = unknownNames(flags);
  if (unknown !== undefined) return { refusal: unknown };
  const options = readOptionsOf(flags, cwd);
  if ('refusal' in options) return options;
  const controls = await readControls(flags, cwd);
  return 'refusal' in controls ? controls : { options, controls };
}

function judge(
  { workloads, sccs, problems, waiverComments }: GatheredManifests,
  { paths, flags, controls, terminal }: Run,
): ManifestJudgement {
  return judgeManifests({
    workloads,
    sccs,
    version: flags.kubernetesVersion ?? LATEST_KUBERNETES_VERSION,
    catalogue: CATALOGUE,
    choice: choiceOf(flags),
    ...controls,
    waiverComments,
    today: terminal.today,
    partial: !paths.some((path) => isDirectory(resolve(terminal.cwd, path))),
    unjudgedFiles: [...new Set(problems.filter(({ fatal }) => fatal).map(({ place }) => place.file))],
  });
}

function unknownNames({ rule, skipRule, profile }: ScanFlags): string | undefined {
  const rules = MANIFEST_RULES.map(({ id }) => id);
  const profiles = PROFILES.map(({ id }) => id);
  return (
    unknownName('--rule', rule, rules) ??
    unknownName('--skip-rule', skipRule, rules) ??
    unknownName('--profile', profile, profiles)
  );
}

function choiceOf({ rule, skipRule, profile }: ScanFlags): RuleChoice {
  return {
    ...(profile ? { profiles: profile } : {}),
    ...(rule ? { rules: rule } : {}),
    ...(skipRule ? { skipRules: skipRule } : {}),
  };
}

function createReport(
  gathered: GatheredManifests,
  judgement: ManifestJudgement,
  { paths, flags, controls, terminal }: Run,
): ScanReport {
  const version = flags.kubernetesVersion ?? LATEST_KUBERNETES_VERSION;
  const { workloads, files, bytes, documents } = gathered;
  const read = flags.allowUnparsable ? allowUnparsable(gathered.problems) : gathered.problems;
  const result: ScanResult = {
    findings: judgement.findings,
    problems: [...read, ...judgement.problems],
    totals: {
      files,
      bytes,
      documents,
      workloads: workloads.length,
      clean: judgement.clean,
      adoption: countAdoption(workloads, version),
    },
  };
  return {
    version: terminal.version,
    result,
    failOn: flags.failOn,
    exitCode: scanExitCode(result, flags.failOn),
    rules: selectRules(CATALOGUE, version, choiceOf(flags), controls.policy).rules.map(({ rule }) => rule),
    paths,
    ...(flags.baseline === undefined ? {} : { baseline: { file: flags.baseline, fixed: judgement.fixed.length } }),
  };
}

/** True when every output was written. */
async function publish(report: ScanReport, outputs: readonly ScanOutput[], { flags, terminal }: Run): Promise<boolean> {
  const { summary = false } = flags;
  let complete = true;
  for (const { format, file } of outputs) {
    const paint = file === undefined ? terminal.paint : plain;
    const text = await render(report, format, { paint, summary });
    if (file === undefined) terminal.print(text);
    else complete = writeReport(resolve(terminal.cwd, file), text, terminal) && complete;
  }
  // Who looks at a failed job's log should not have to open a file to see that it failed, and why.
  if (report.exitCode !== 0 && outputs.every(({ file }) => file !== undefined)) {
    terminal.tell(`${verdictLine(report, plain)}\n`);
  }
  return complete;
}

/** The formats for programs are loaded when one is asked for. */
async function render(report: ScanReport, format: ScanFormat, options: RenderOptions): Promise<string> {
  if (format === 'text' || format === 'wide') {
    return `${renderScanText(report, { ...options, wide: format === 'wide' })}\n`;
  }
  const { renderScan } = await import('../report/scan-formats.ts');
  return renderScan(report, format, options);
}

function writeReport(path: string, text: string, { tell }: Terminal): boolean {
  try {
    writeFileAtomic(path, text);
    return true;
  } catch (error) {
    tell(`error: ${path} can not be written: ${(error as Error).message}\n`);
    return false;
  }
}

/** Writes the baseline anew; what this run did not look at stays in it. Findings do not fail such a run, blind spots do. */
function updateBaseline(gathered: GatheredManifests, judgement: ManifestJudgement, run: Run): 0 | 2 {
  const { flags, controls, terminal } = run;
  const { baseline: file = '' } = flags;
  const kept = [...judgement.notJudged, ...judgement.fixed.filter((entry) => !wasRead(entry, run))];
  const baseline = createBaseline(judgement.findings, kept);
  if (!writeReport(resolve(terminal.cwd, file), serializeBaseline(baseline), terminal)) return 2;
  const before = new Set(controls.baseline?.findings.map(({ fingerprint }) => fingerprint));
  const added = baseline.findings.filter(({ fingerprint }) => !before.has(fingerprint)).length;
  const dropped = before.size - (baseline.findings.length - added);
  terminal.tell(`${file}: ${plural(baseline.findings.length, 'finding')} accepted, ${added} new, ${dropped} dropped\n`);
  const problems = flags.allowUnparsable ? allowUnparsable(gathered.problems) : gathered.problems;
  const fatal = problems.filter((problem) => problem.fatal);
  for (const { place, message } of fatal) terminal.tell(`not judged: ${place.file}:${place.line}: ${message}\n`);
  return fatal.length > 0 ? 2 : 0;
}

function wasRead({ file }: BaselineEntry, { paths, terminal: { cwd } }: Run): boolean {
  return paths.some((path) => !relative(resolve(cwd, path), resolve(cwd, file)).startsWith('..'));
}
