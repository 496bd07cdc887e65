import { mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { acceptanceOf } from '../cluster/adoption-acceptance.ts';
import { type AdoptionEvidence, claimKey } from '../cluster/adoption-evidence.ts';
import { planAdoption } from '../cluster/adoption-plan.ts';
import type { AuditPolicy } from '../core/policy.ts';
import { LATEST_KUBERNETES_VERSION } from '../core/pod-user-namespace.ts';
import type { ScanProblem } from '../core/scan-finding.ts';
import type { WaiverComment } from '../core/waiver.ts';
import type { KubernetesVersion, Workload } from '../core/workload.ts';
import type { ReadOptions } from '../manifests/index.ts';
import { renderPlanJson } from '../report/plan-json.ts';
import { renderPlanMarkdown } from '../report/plan-markdown.ts';
import type { PlanReport } from '../report/plan-report.ts';
import { renderPlanText } from '../report/plan-text.ts';
import type { Refusal } from './control-files.ts';
import { gatherManifests, isDirectory, readOptionsOf } from './gather-manifests.ts';
import { liveWorkloads } from './live-workloads.ts';
import type { ClusterAnswer } from './plan-cluster.ts';
import type { NamedValue, PlanFlags } from './plan-command.ts';
import { writePatches } from './plan-patches.ts';
import { readControls } from './scan-controls.ts';
import type { Terminal } from './terminal.ts';

/** `userns-audit plan`: reads, judges, writes the patches that were asked for, prints the plan, and answers with the exit code. */
export async function plan(paths: readonly string[], flags: PlanFlags, terminal: Terminal): Promise<0 | 2> {
  if (flags.namespace && !asksCluster(flags)) return refuse({ refusal: '--namespace needs --cluster' }, terminal);
  const options = readOptionsOf(flags, terminal.cwd);
  if ('refusal' in options) return refuse(options, terminal);
  const controls = await readControls(flags.policy === undefined ? {} : { policy: flags.policy }, terminal.cwd);
  if ('refusal' in controls) return refuse(controls, terminal);
  const directory = flags.patch === undefined ? undefined : emptyDirectory(resolve(terminal.cwd, flags.patch));
  if (typeof directory === 'object') return refuse(directory, terminal);
  const input = asksCluster(flags)
    ? await fromCluster(paths, flags, { options, terminal, policy: controls.policy })
    : { ...fromFiles(paths.length === 0 ? ['.'] : paths, options, terminal), policy: controls.policy };
  return 'refusal' in input ? refuse(input, terminal) : publish(input, flags, directory, terminal);
}

/** All that a plan depends on. */
interface PlanInput {
  readonly workloads: readonly Workload[];
  readonly problems: readonly ScanProblem[];
  readonly waiverComments: readonly WaiverComment[];
  /** Something else may hold what an exception is meant for. */
  readonly partial: boolean;
  readonly policy: AuditPolicy | undefined;
  readonly version?: KubernetesVersion | undefined;
  readonly evidence?: AdoptionEvidence;
}

/** Who says where a cluster is means it. */
function asksCluster({ cluster, kubeconfig, context }: PlanFlags): boolean {
  return cluster === true || kubeconfig !== undefined || context !== undefined;
}

function fromFiles(paths: readonly string[], options: ReadOptions, terminal: Terminal): Omit<PlanInput, 'policy'> {
  const { workloads, problems, waiverComments } = gatherManifests(paths, options, terminal);
  return {
    workloads,
    problems,
    waiverComments,
    partial: !paths.some((path) => isDirectory(resolve(terminal.cwd, path))),
  };
}

interface ClusterRun {
  readonly options: ReadOptions;
  readonly terminal: Terminal;
  readonly policy: AuditPolicy | undefined;
}

/** With paths the cluster is asked for evidence only. */
async function fromCluster(
  paths: readonly string[],
  flags: PlanFlags,
  { options, terminal, policy: given }: ClusterRun,
): Promise<PlanInput | Refusal> {
  const { askCluster } = await import('./plan-cluster.ts');
  let answer: ClusterAnswer;
  try {
    answer = await askCluster({ ...flags, workloads: paths.length === 0, now: new Date() });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { refusal: error.message };
  }
  const policy = given ?? answer.policy;
  const files = paths.length === 0 ? undefined : fromFiles(paths, options, terminal);
  const { evidence, version } = answer;
  const live = answer.live && liveWorkloads(answer.live);
  return {
    workloads: live?.workloads ?? [],
    waiverComments: [],
    partial: flags.namespace !== undefined,
    ...files,
    problems: [...(files?.problems ?? []), ...answer.problems, ...selectorProblems(policy, answer.selectorsMissing)],
    policy: policy && inCluster(answer.resolve(policy), files === undefined),
    version,
    evidence: { ...evidence, ...live?.evidence },
  };
}

/** Objects of a cluster stand in no file: exceptions over files are a scan's. */
function inCluster(policy: AuditPolicy, isLive: boolean): AuditPolicy {
  return isLive ? { ...policy, exceptions: policy.exceptions.filter(({ files }) => files === undefined) } : policy;
}

function selectorProblems(policy: AuditPolicy | undefined, missing: string | undefined): readonly ScanProblem[] {
  if (missing === undefined) return [];
  return (policy?.exceptions ?? []).flatMap(({ namespaceSelector, reason, place }) =>
    namespaceSelector === undefined
      ? []
      : [
          {
            kind: 'unused-exception',
            message: `the exception ("${reason}") selects namespaces by labels, and accepts nothing without ${missing}`,
            place,
            fatal: false,
          },
        ],
  );
}

function publish(input: PlanInput, flags: PlanFlags, directory: string | undefined, terminal: Terminal): 0 | 2 {
  const { workloads, waiverComments, partial, policy } = input;
  const version = flags.kubernetesVersion ?? input.version ?? LATEST_KUBERNETES_VERSION;
  const acceptance = acceptanceOf({
    workloads,
    version,
    ...(policy ? { policy } : {}),
    waiverComments,
    today: terminal.today,
    partial,
  });
  const evidence = { ...withFlags(input.evidence ?? {}, flags), acceptedOf: acceptance.acceptedOf };
  const made = planAdoption(workloads, version, evidence);
  const { patches, complete } =
    directory === undefined
      ? { patches: new Map<Workload, string>(), complete: true }
      : writePatches(made, directory, terminal);
  const problems = [...input.problems, ...acceptance.problems];
  const { exceptions } = acceptance;
  terminal.print(
    `${render({ version: terminal.version, plan: made, problems, exceptions, patches }, flags, terminal)}\n`,
  );
  return problems.some(({ fatal }) => fatal) || !complete ? 2 : 0;
}

function refuse({ refusal }: Refusal, { tell }: Terminal): 2 {
  tell(`error: ${refusal}\n`);
  return 2;
}

function render(report: PlanReport, { output }: PlanFlags, { paint }: Terminal): string {
  if (output === 'json') return renderPlanJson(report);
  return output === 'markdown' ? renderPlanMarkdown(report).trimEnd() : renderPlanText(report, paint);
}

/** What the command line says goes before what a cluster says: who writes it knows why. */
function withFlags(
  evidence: AdoptionEvidence,
  { storageClass = [], claim = [], runtimeClass = [] }: PlanFlags,
): AdoptionEvidence {
  const pairs = (named: readonly NamedValue[]): (readonly [string, string])[] =>
    named.map(({ name, value }) => [name, value]);
  const claims = pairs(claim).map(
    ([name, value]) => [name.includes('/') ? name : claimKey(undefined, name), value] as const,
  );
  const runtimes = pairs(runtimeClass).map(([name, handler]) => {
    const { scheduling } = evidence.runtimeClasses?.get(name) ?? {};
    return [name, { handler, ...(scheduling ? { scheduling } : {}) }] as const;
  });
  return {
    ...evidence,
    storageClasses: new Map([...(evidence.storageClasses ?? []), ...pairs(storageClass)]),
    claims: new Map([...(evidence.claims ?? []), ...claims]),
    runtimeClasses: new Map([...(evidence.runtimeClasses ?? []), ...runtimes]),
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
