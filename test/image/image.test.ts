// What is in the image: read by tar, and by the words of the Dockerfile.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeImage } from '../e2e/image.ts';

interface Manifest {
  readonly manifests: readonly [{ readonly digest: string }];
  readonly layers: readonly [{ readonly digest: string }];
  readonly config: { readonly digest: string };
}

describe('the assembled image', () => {
  let image: ReturnType<typeof makeImage>;
  let dir: string;

  beforeAll(() => {
    image = makeImage();
    dir = mkdtempSync(join(tmpdir(), 'userns-audit-image-test-'));
    expect(spawnSync('tar', ['-xf', image.tarFile, '-C', dir]).status).toBe(0);
  });
  afterAll(() => {
    image.remove();
    rmSync(dir, { recursive: true });
  });

  const blob = (digest: string): string => join(dir, 'blobs/sha256', digest.replace('sha256:', ''));
  const json = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const manifest = (): Manifest => json(blob(json(join(dir, 'index.json')).manifests[0].digest));

  test('every blob bears the digest of its content', () => {
    const { config, layers } = manifest();
    for (const digest of [config.digest, layers[0].digest, json(join(dir, 'index.json')).manifests[0].digest])
      expect(
        `sha256:${createHash('sha256')
          .update(readFileSync(blob(digest)))
          .digest('hex')}`,
      ).toBe(digest);
  });

  test('starts as no root, with the entry point of the Dockerfile', () => {
    const config = JSON.parse(readFileSync(blob(manifest().config.digest), 'utf8')) as {
      config: { User: string; Entrypoint: readonly string[]; Labels: Readonly<Record<string, string>> };
    };
    const dockerfile = readFileSync('Dockerfile', 'utf8');
    expect(dockerfile).toContain(`USER ${config.config.User}`);
    expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '')).toEqual(config.config.Entrypoint);
    for (const [name, value] of Object.entries(config.config.Labels))
      expect(dockerfile).toContain(name.endsWith('version') ? `VERSION=${value}` : `${name}="${value}"`);
  });

  test('holds no shell, and gives the capability to one program alone', () => {
    const layer = blob(manifest().layers[0].digest);
    const listed = spawnSync('tar', ['-tzvf', layer, '--xattrs', '--xattrs-include=*', '-vv'], {
      encoding: 'utf8',
    }).stdout;
    expect(listed).toMatch(/usr\/local\/bin\/node-ptrace\n(?:.*security\.capability)/);
    expect(listed.match(/security\.capability/g)).toHaveLength(1);
    expect(listed).not.toMatch(/bin\/(?:ba)?sh\b|busybox/);
  });
});
