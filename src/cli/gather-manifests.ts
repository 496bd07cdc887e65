import { statSync } from 'node:fs';
import type { ScanProblem } from '../core/scan-finding.ts';
import { findWaiverComments, type WaiverComment } from '../core/waiver.ts';
import type { SecurityContextConstraints, Workload } from '../core/workload.ts';
import { type Manifests, parsePodSpecPath, readManifests, type ReadOptions, scanInputs } from '../manifests/index.ts';
import type { Refusal } from './control-files.ts';
import { createProgress } from './progress.ts';
import type { InputFlags, RenderFlags } from './scan-command.ts';
import type { Terminal } from './terminal.ts';

export interface GatheredManifests {
  readonly workloads: readonly Workload[];
  readonly sccs: readonly SecurityContextConstraints[];
  readonly problems: readonly ScanProblem[];
  readonly waiverComments: readonly WaiverComment[];
  readonly files: number;
  readonly bytes: number;
  readonly documents: number;
}

/** What the command line says on reading, in the words of the reader. */
export function readOptionsOf(flags: InputFlags & Partial<RenderFlags>, cwd: string): ReadOptions | Refusal {
  const { exclude, gitignore, podSpecPath = [], render = true, values, set, kubernetesVersion: version } = flags;
  try {
    return {
      cwd,
      gitignore,
      render,
      podSpecPaths: podSpecPath.map(parsePodSpecPath),
      ...(exclude ? { exclude } : {}),
      helm: {
        ...(values ? { values } : {}),
        ...(set ? { set } : {}),
        ...(version ? { kubeVersion: `${version.major}.${version.minor}` } : {}),
      },
    };
  } catch (error) {
    return { refusal: (error as Error).message };
  }
}

/** Reads every input behind the paths, one after the other, and keeps what is judged. */
export function gatherManifests(paths: readonly string[], options: ReadOptions, terminal: Terminal): GatheredManifests {
  const progress = createProgress(terminal);
  const workloads: Workload[] = [];
  const sccs: SecurityContextConstraints[] = [];
  const problems: ScanProblem[] = [];
  const waiverComments: WaiverComment[] = [];
  const totals = { files: 0, bytes: 0, documents: 0 };
  for (const input of scanInputs(paths, options)) {
    const read: Manifests = readManifests(input, options);
    // One by one: a call takes no more than some 100,000 arguments.
    for (const workload of read.workloads) workloads.push(workload);
    for (const scc of read.sccs) sccs.push(scc);
    problems.push(...read.problems);
    for (const comment of waiverCommentsOf(read)) waiverComments.push(comment);
    totals.files += 1;
    totals.bytes += read.bytes;
    totals.documents += read.documents;
    progress.tick(totals.files, workloads.length);
  }
  progress.done();
  return { workloads, sccs, problems, waiverComments, ...totals };
}

/** True for a path that names a directory, as a pre-commit hook never does. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The comments of an input that accept findings. */
export function waiverCommentsOf({ input, waiverText = '' }: Manifests): readonly WaiverComment[] {
  return findWaiverComments(waiverText, input.path);
}

/** `--allow-unparsable`: what is no manifest that can be read becomes a remark; a path that is not there stays an error. */
export function allowUnparsable(problems: readonly ScanProblem[]): readonly ScanProblem[] {
  return problems.map((problem) => (problem.kind === 'unreadable' ? problem : { ...problem, fatal: false }));
}
