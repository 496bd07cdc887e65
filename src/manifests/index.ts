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

export type * from './manifest.ts';
export { commentsAt } from './comments.ts';
export { fixManifests } from './fix/fix-manifests.ts';
export { scanInputs } from './inputs.ts';
export { parsePodSpecPath } from './pod-spec-path.ts';
export { podFieldPath } from './pod-field.ts';
export { readLiveObject, readManifests, readManifestText } from './read-manifests.ts';
