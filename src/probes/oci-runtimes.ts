import type { NodeFacts } from '../core/facts.ts';
import type { HostFs } from '../host/host-fs.ts';
import { findProgram, type Program, readVersion } from './versions.ts';

const RUNTIMES: readonly Program[] = [
  { name: 'crun', packages: ['crun'] },
  {
    name: 'runc',
    packages: ['runc'],
    module: /^github\.com\/opencontainers\/runc$/,
    linkerVariable: /main\.version=([^\s"']+)/,
  },
];

/** The installed OCI runtimes that start containers for containerd, CRI-O and Docker. */
export function readOciRuntimes(host: HostFs): NodeFacts['ociRuntimes'] {
  return RUNTIMES.filter(({ name }) => findProgram(host, name) !== undefined).map((program) => ({
    name: program.name,
    version: readVersion(host, program),
  }));
}
