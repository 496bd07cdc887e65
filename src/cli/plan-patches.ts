import { join } from 'node:path';
import { type AdoptionPlan, stays } from '../cluster/adoption-plan.ts';
import type { Workload } from '../core/workload.ts';
import { podFieldPath } from '../manifests/index.ts';
import { type AdoptionPatch, createAdoptionPatch } from '../report/adoption-patch.ts';
import { plural } from '../report/scan-report.ts';
import type { Terminal } from './terminal.ts';
import { writeFileAtomic } from './write-file.ts';

export interface WrittenPatches {
  /** Files by their workload. */
  readonly patches: ReadonlyMap<Workload, string>;
  /** Nothing failed. */
  readonly complete: boolean;
}

/** Writes a file for each workload that can be patched, and tells why others have none. */
export function writePatches({ workloads }: AdoptionPlan, directory: string, { tell }: Terminal): WrittenPatches {
  const patches = new Map<Workload, string>();
  const taken = new Set<string>();
  let complete = true;
  for (const planned of workloads) {
    const { kind, name } = planned.workload;
    const isAccepted = stays(planned) && (planned.standing === 'ready' || planned.standing === 'change');
    if (isAccepted) tell(`no patch    ${kind} ${name}: it is accepted as it is\n`);
    if (planned.step === undefined) continue;
    const patch = createAdoptionPatch(planned, podFieldPath(planned.workload, 'hostUsers'));
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
  return { patches, complete };
}

/** Twins of one name, as in overlays, each get a file. */
function freeName({ file }: AdoptionPatch, taken: Set<string>): string {
  let name = file;
  for (let number = 2; taken.has(name); number += 1) name = file.replace(/\.yaml$/, `.${number}.yaml`);
  taken.add(name);
  return name;
}
