import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AdoptionEvidence, claimKey } from '../cluster/adoption-evidence.ts';
import { type AdoptionPlan, planAdoption } from '../cluster/adoption-plan.ts';
import { LATEST_KUBERNETES_VERSION } from '../core/pod-user-namespace.ts';
import type { Workload } from '../core/workload.ts';
import { podFieldPath } from '../manifests/index.ts';
import { type AdoptionPatch, createAdoptionPatch } from '../report/adoption-patch.ts';
import { renderPlanJson } from '../report/plan-json.ts';
import { renderPlanMarkdown } from '../report/plan-markdown.ts';
import type { PlanReport } from '../report/plan-report.ts';
import { renderPlanText } from '../report/plan-text.ts';
import { plural } from '../report/scan-report.ts';
import type { Refusal } from './control-files.ts';
import { gatherManifests, readOptionsOf } from './gather-manifests.ts';
import type { NamedValue, PlanFlags } from './plan-command.ts';
import type { Terminal } from './terminal.ts';
import { writeFileAtomic } from './write-file.ts';

/** `userns-audit plan`: reads, judges, writes the patches that were asked for, prints the plan, and answers with the exit code. */
export function plan(paths: readonly string[], flags: PlanFlags, terminal: Terminal): 0 | 2 {
  const options = readOptionsOf(flags, terminal.cwd);
  if ('refusal' in options) return refuse(options, terminal);
  const directory = flags.patch === undefined ? undefined : emptyDirectory(resolve(terminal.cwd, flags.patch));
  if (typeof directory === 'object') return refuse(directory, terminal);
  const { workloads, problems } = gatherManifests(paths, options, terminal);
  const target = flags.kubernetesVersion ?? LATEST_KUBERNETES_VERSION;
  const made = planAdoption(workloads, target, evidenceOf(flags));
  const patches = new Map<Workload, string>();
  const written = directory === undefined || writePatches(made, directory, patches, terminal);
  const report: PlanReport = { version: terminal.version, plan: made, problems, patches };
  terminal.print(`${render(report, flags, terminal)}\n`);
  return problems.some(({ fatal }) => fatal) || !written ? 2 : 0;
}

function refuse({ refusal }: Refusal, { tell }: Terminal): 2 {
  tell(`error: ${refusal}\n`);
  return 2;
}

function render(report: PlanReport, { output }: PlanFlags, { paint }: Terminal): string {
  if (output === 'json') return renderPlanJson(report);
  return output === 'markdown' ? renderPlanMarkdown(report).trimEnd() : renderPlanText(report, paint);
}

function evidenceOf({ storageClass = [], claim = [], runtimeClass = [] }: PlanFlags): AdoptionEvidence {
  const pairs = (named: readonly NamedValue[]): (readonly [string, string])[] =>
    named.map(({ name, value }) => [name, value]);
  return {
    storageClasses: new Map(pairs(storageClass)),
    claims: new Map(
      pairs(claim).map(([name, value]) => [name.includes('/') ? name : claimKey(undefined, name), value]),
    ),
    runtimeClasses: new Map(pairs(runtimeClass).map(([name, handler]) => [name, { handler }])),
  };
}

/** Patches of an earlier plan must not stand beside the new ones. */
function emptyDirectory(path: string): string | Refusal {
  try {
    mkdirSync(path, { recursive: true });
    return readdirSync(path).length === 0
      ? path
      : { refusal: `option '--patch ${path}': the directory is not empty; name a new one, or empty it` };
  } catch (error) {
    return { refusal: `option '--patch ${path}': ${(error as Error).message}` };
  }
}

/** Writes a file for each workload that can be patched; true when nothing failed. */
function writePatches(
  { workloads }: AdoptionPlan,
  directory: string,
  patches: Map<Workload, string>,
  { tell }: Terminal,
): boolean {
  const taken = new Set<string>();
  let complete = true;
  for (const planned of workloads) {
    if (planned.step === undefined) continue;
    const { kind, name } = planned.workload;
    const path = podFieldPath(planned.workload, 'hostUsers');
    const patch = 'refused' in path ? path : createAdoptionPatch(planned, path);
    if ('refused' in patch) {
      tell(`no patch    ${kind} ${name}: ${patch.refused}\n`);
      continue;
    }
    const file = freeName(patch, taken);
    try {
      writeFileAtomic(join(directory, file), patch.text.replaceAll(patch.file, file));
      patches.set(planned.workload, file);
    } catch (error) {
      complete = false;
      tell(`error: ${join(directory, file)} can not be written: ${(error as Error).message}\n`);
    }
  }
  tell(`${plural(patches.size, 'file')} of patches written to ${directory}\n`);
  return complete;
}

/** Twins of one name, as in overlays, each get a file. */
function freeName({ file }: AdoptionPatch, taken: Set<string>): string {
  let name = file;
  for (let number = 2; taken.has(name); number += 1) name = file.replace(/\.yaml$/, `.${number}.yaml`);
  taken.add(name);
  return name;
}
