// The image of this tree, assembled once a test run, for a cluster to import.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const IMAGE = { repository: 'localhost/userns-audit', tag: 'test' };

/** The archive, and what removes it. @throws Error with what the tool said */
export function makeImage(): { readonly tarFile: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'userns-audit-image-'));
  const tarFile = join(dir, 'image.tar');
  const made = spawnSync(process.execPath, ['tools/image.ts', tarFile, `${IMAGE.repository}:${IMAGE.tag}`], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`tools/image.ts: ${made.stderr}`);
  return {
    tarFile,
    remove() {
      rmSync(dir, { recursive: true });
    },
  };
}
