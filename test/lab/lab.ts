// Real container runtimes for the tests: found in the cache, or unpacked there by setup.sh the first time.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, fill, lackOf } from '../support/cached-programs.ts';

/** A Debian release whose runtimes the lab has: bookworm's ignore user namespaces in pods, sid's honor them. */
export type Suite = 'bookworm' | 'sid';

/** Where an unpacked lab has its things. Nothing in it changes while tests run. */
export interface Lab {
  readonly dir: string;
  readonly rootfs: string;
  readonly busybox: string;
  readonly images: string;
  readonly proto: string;
  /** The directory of a release's runc, containerd, ctr and containerd-shim-runc-v2. */
  readonly bin: Readonly<Record<Suite, string>>;
  /** The directory of the network plugin `fixed`. */
  readonly cni: string;
}

/** Why there is no lab on this machine. */
export interface NoLab {
  readonly skipped: string;
}

const SETUP = join(import.meta.dirname, 'setup.sh');
const SETUP_TIMEOUT_MS = 600_000;

function setupVersion(): string {
  const version = /^version=(\S+)/m.exec(readFileSync(SETUP, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${SETUP} names no version`);
  return version;
}

/** The directory that holds the lab for this version of setup.sh. */
export function labDirectory(): string {
  return join(cacheDirectory(), `lab-${setupVersion()}`);
}

/** The lab in a directory that setup.sh has filled. */
export function labAt(dir: string): Lab {
  const rootfs = join(dir, 'rootfs');
  return {
    dir,
    rootfs,
    busybox: join(rootfs, 'bin/busybox'),
    images: join(dir, 'images.tar'),
    proto: join(dir, 'api.proto'),
    bin: { bookworm: join(dir, 'bin/bookworm'), sid: join(dir, 'bin/sid') },
    cni: join(dir, 'cni'),
  };
}

function cannotRunHere(): string | undefined {
  if (process.getuid?.() !== 0) return 'real containers need root';
  if (!existsSync('/etc/os-release') || !/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8')))
    return 'the runtimes come from the Debian archive, and this machine is not Debian';
  return undefined;
}

/**
 * The lab, set up first when needed (about ten seconds, once), or why it cannot be here. It returns synchronously, so
 * that a test file can choose between `describe` and `describe.skip`. In CI a missing lab is an error: tests that
 * silently skip there prove nothing.
 */
export function requireLab(dir = labDirectory()): Lab | NoLab {
  const reason = cannotRunHere() ?? fill(SETUP, [dir], SETUP_TIMEOUT_MS);
  return reason === undefined ? labAt(dir) : lackOf('The test lab', reason);
}

/** Whether `requireLab` found no lab. */
export function isSkipped(lab: object): lab is NoLab {
  return 'skipped' in lab;
}
