import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs';

/**
 * Writes a file whole or not at all: a reader never sees half of it, and a failed run leaves the old one. Links are followed and
 * the mode is kept. What is no plain file, such as /dev/stdout, is written to directly.
 */
export function writeFileAtomic(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false });
  if (before && !before.isFile()) {
    writeFileSync(path, text);
    return;
  }
  const target = before ? realpathSync(path) : path;
  const draft = `${target}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    keepMode(draft, before);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function keepMode(draft: string, before: Stats | undefined): void {
  if (before) chmodSync(draft, before.mode);
}
