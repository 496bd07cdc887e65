import { type KernelRelease, parseKernelRelease } from '../core/kernel-version.ts';
import { andThen, type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

const PATH = '/proc/sys/kernel/osrelease';

/** The running kernel's release, as `uname -r` prints it (kernel admin-guide/sysctl/kernel, osrelease). */
export function readKernelRelease(host: HostFs): Reading<KernelRelease> {
  const text = host.readText(PATH, 4096);
  return andThen(text, parseOsRelease);
}

function parseOsRelease(text: string, source: string): Reading<KernelRelease> {
  const release = parseKernelRelease(text);
  return release ? read(source, release) : unread(source, 'malformed', 'does not start with a kernel version');
}
