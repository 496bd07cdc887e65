import type { FieldPath } from '../../core/workload.ts';
import type { ManifestEdit } from '../manifest.ts';
import type { WorkloadSource } from '../workload-source.ts';
import type { RootEdit } from './expected.ts';

/** An edit in the words of the file, or why there is none. */
export type Translated = RootEdit | { readonly refused: string };

/** Compose fields that are set to `host` to share a host namespace. */
const MODES = ['pid', 'ipc', 'uts', 'network_mode', 'userns_mode'];

/** Turns an edit of a pod spec into one of the document it was read from. */
export function translateEdit(source: WorkloadSource, edit: ManifestEdit): Translated {
  const value = 'set' in edit ? edit.set : undefined;
  const path = source.pathOf(edit.path);
  const file = source.elsewhere?.(edit.path);
  if (file !== undefined) return { refused: `it is inherited from ${file}: edit that file` };
  switch (source.dialect) {
    case 'inspect':
      return { refused: 'a record of a container that runs: change how it is started' };
    case 'scc':
      return { refused: 'SecurityContextConstraints are not edited: what uses them must be known first' };
    case 'compose':
      return translateCompose(path, value);
    case 'pod':
      if (value !== undefined && edit.path.length === 1 && source.noPodFields !== undefined) {
        return { refused: source.noPodFields };
      }
      return { path: [...source.objectPath, ...path], value };
  }
}

/** `false` of a host namespace is a mode that is left out. */
function translateCompose(path: FieldPath, value: string | number | boolean | undefined): Translated {
  const field = path[2];
  if (field === 'networks') return { refused: "it joins the host's network by `networks`: take it off that list" };
  if (typeof field !== 'string' || !MODES.includes(field)) return { path, value };
  if (value === undefined || value === false) return { path, value: undefined };
  return { path, value: value === true ? 'host' : value };
}
