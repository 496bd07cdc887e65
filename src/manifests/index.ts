/**
 * Files → documents → workloads with positions, and edits that change nothing else.
 *
 *     for (const input of scanInputs(paths, options)) {
 *       const { workloads, sccs, documents, problems } = readManifests(input, options);
 *     }
 *
 * Everything is synchronous and one input is held at a time. Problems of kind `unreadable`, `unparsable`, `template`,
 * `wrong-type` and `tool-missing` come from here.
 */
import type { Comment, FixResult, InputFile, InputOptions, Manifests, ReadOptions, WorkloadEdits } from './manifest.ts';
import type { FieldPath, SecurityContextConstraints, Workload } from '../core/workload.ts';

export type * from './manifest.ts';

/**
 * The inputs behind command-line paths, each once, sorted within a directory. Directories are walked for .yaml, .yml and
 * .json files without .git and node_modules; a directory with a Chart.yaml or a kustomization is one input of its own.
 */
export declare function scanInputs(paths: readonly string[], options: InputOptions): Iterable<InputFile>;

/** Reads one input whole. */
export declare function readManifests(input: InputFile, options: ReadOptions): Manifests;

/** The same for a text at hand: tests, and callers that have read the file already. */
export declare function readManifestText(text: string, path: string, options?: Partial<ReadOptions>): Manifests;

/** Comments on the line of a field of the pod spec (or SCC) and on the lines directly above it; '' path: on the object itself. */
export declare function commentsAt(subject: Workload | SecurityContextConstraints, path: FieldPath): readonly Comment[];

/** The new text of one file, all of whose edits are given at once. Writes nothing. */
export declare function fixManifests(manifests: Manifests, edits: readonly WorkloadEdits[]): FixResult;

/** `KIND=spec.template.spec`, with `*` or `[]` for every element of a list. Throws an Error that names the option. */
export declare function parsePodSpecPath(text: string): { readonly kind: string; readonly path: FieldPath };
