import type { ScanProblem } from '../core/scan-finding.ts';
import type { FieldPath, SecurityContextConstraints, Workload } from '../core/workload.ts';

/** What to read; every path is a file, a directory, a glob, or `-` for standard input. */
export interface InputOptions {
  /** Directory that relative paths, globs and `exclude` start from; file names are shown relative to it. */
  readonly cwd: string;
  /** Patterns in the syntax of .gitignore, relative to `cwd`. They hold for files named explicitly too. */
  readonly exclude?: readonly string[];
  /** Heed .gitignore files below (and above, up to the repository's root) directories. Default true. */
  readonly gitignore?: boolean;
  /**
   * Render Helm charts and kustomizations with the tools of the machine. Default true; false: their files are read as plain YAML.
   */
  readonly render?: boolean;
  /** Passed on to `helm template` as `--values`, `--set` and `--kube-version` (`1.36`). */
  readonly helm?: {
    readonly values?: readonly string[];
    readonly set?: readonly string[];
    readonly kubeVersion?: string;
  };
  /** Bytes of one file above which it is refused with an `unreadable` problem. Default 64 MiB. */
  readonly maxBytes?: number;
}

/** One thing to read: a file, standard input, or a chart or kustomization directory that has to be rendered. */
export interface InputFile {
  readonly origin: 'file' | 'stdin' | 'helm' | 'kustomize';
  /** As shown to people and written into findings: relative to `cwd` where it is below it, `/` between; `<stdin>`. */
  readonly path: string;
  /** Where it is on disk; equal to `path` for standard input. */
  readonly absolutePath: string;
  /** Asked for by name, and not found in a directory or by a glob. */
  readonly named: boolean;
  /** Of a kustomization: the directory whose files are read on their own too. */
  readonly readBeside?: string;
  /** A kustomization lists it as a patch: its objects are parts of others. */
  readonly patch?: boolean;
  /** Set when it cannot be read at all (it does not exist, matches nothing, is too large): `readManifests` reports it. */
  readonly problem?: ScanProblem;
}

export interface ReadOptions extends InputOptions {
  /** The environment helm, kustomize and kubectl run in. Default: that of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where further kinds keep their pod spec: `{ kind: 'MyApp', path: ['spec', 'template', 'spec'] }`; `*` steps through a list. */
  readonly podSpecPaths?: readonly PodSpecPath[];
}

/** From `--pod-spec-path KIND=path`. */
export interface PodSpecPath {
  readonly kind: string;
  readonly path: FieldPath;
}

/** A comment from its `#` on, and the line it stands on (from 1). */
export interface Comment {
  readonly text: string;
  readonly line: number;
}

/** What one input holds. Never throws for what stands in the input: that is a problem. */
export interface Manifests {
  readonly input: InputFile;
  readonly workloads: readonly Workload[];
  readonly sccs: readonly SecurityContextConstraints[];
  /** Documents that hold anything (comments alone do not count); objects of a List count as the one document they are. */
  readonly documents: number;
  /** Length of the input in bytes (of the rendered output for charts and kustomizations). */
  readonly bytes: number;
  readonly problems: readonly ScanProblem[];
  /** The whole text, where it mentions `userns-audit:`, as comments that waive findings do. Not for rendered inputs. */
  readonly waiverText?: string;
}

/** One change to a workload, by path in its pod spec. Removing what is not there and setting what is already so change nothing. */
export type ManifestEdit =
  | { readonly path: FieldPath; readonly set: boolean | string | number }
  | { readonly path: FieldPath; readonly remove: true };

/** The edits wanted for one workload, which must be the very object that `readManifests` returned. */
export interface WorkloadEdits {
  readonly workload: Workload;
  readonly edits: readonly ManifestEdit[];
}

/** An edit that was not made, and why: an alias, a chart's template, a value that would lose data. */
export interface RefusedEdit {
  readonly workload: Workload;
  readonly edit: ManifestEdit;
  /** One sentence, with what to do by hand: "set hostUsers in the chart's values". */
  readonly reason: string;
}

export interface FixResult {
  /** The file before and after; equal when nothing was to be changed. Empty for a chart or kustomization, which is never edited. */
  readonly before: string;
  readonly text: string;
  readonly applied: readonly { readonly workload: Workload; readonly edit: ManifestEdit }[];
  readonly refused: readonly RefusedEdit[];
}
