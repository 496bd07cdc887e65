// Assembles the image without a container engine: the root file system of the Dockerfile as one OCI archive, which `ctr images import`,
// `skopeo copy` and `podman load` take. The same input makes the same bytes.
// usage: node tools/image.ts OUT.tar [NAME:TAG]     (after the bundles are in dist/)
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type TarEntry, writeTar } from './tar.ts';

const USER = 65532;
const DESCRIPTION = 'Know, enforce and prove Linux user-namespace isolation';

/**
 * `cap_sys_ptrace+ep` as the kernel keeps it with a file (struct vfs_cap_data, VFS_CAP_REVISION_2, effective): what lets an agent that is
 * not root read the namespaces of processes it does not own.
 */
const SYS_PTRACE = Buffer.from('0100000200000800000000000000000000000000', 'hex');

const NODE = realpathSync(process.execPath);
const ARCHITECTURE = { x64: 'amd64', arm64: 'arm64' }[process.arch as string];

/** Shared libraries of a program, by the paths its loader looks for. */
function libraries(program: string): readonly string[] {
  const { stdout, status } = spawnSync('ldd', [program], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ldd ${program} failed: is libc-bin installed?`);
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

function directories(paths: readonly string[]): readonly TarEntry[] {
  const all = new Set(
    paths.flatMap((path) => {
      const parts = path.split('/').slice(0, -1);
      return parts.map((_, index) => parts.slice(0, index + 1).join('/')).filter((directory) => directory !== '');
    }),
  );
  return [...all].map((path) => ({ path: `${path}/`, mode: 0o755, content: Buffer.alloc(0) }));
}

/** The root file system: two copies of Node.js, what they are linked with, the bundles, and nothing to start a shell with. */
function rootFileSystem(): readonly TarEntry[] {
  const node = readFileSync(NODE);
  const files: readonly TarEntry[] = [
    { path: 'usr/local/bin/node', mode: 0o755, content: node },
    { path: 'usr/local/bin/node-ptrace', mode: 0o755, content: node, capability: SYS_PTRACE },
    ...libraries(NODE).map((path) => ({ path: path.slice(1), mode: 0o755, content: readFileSync(realpathSync(path)) })),
    ...readdirSync('dist')
      .filter((name) => name.endsWith('.cjs'))
      .map((name) => ({ path: `app/${name}`, mode: 0o644, content: readFileSync(`dist/${name}`) })),
    { path: 'licenses/userns-audit/LICENSE', mode: 0o644, content: readFileSync('LICENSE') },
    { path: 'etc/passwd', mode: 0o644, content: Buffer.from(`nonroot:x:${USER}:${USER}::/:/sbin/nologin\n`) },
    { path: 'etc/group', mode: 0o644, content: Buffer.from(`nonroot:x:${USER}:\n`) },
  ];
  const parents = directories([...files.map(({ path }) => path), 'tmp/x', 'host/x']);
  return [...parents, ...files].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function main([out, name = 'localhost/userns-audit:dev']: readonly string[]): void {
  if (out === undefined) throw new Error('usage: node tools/image.ts OUT.tar [NAME:TAG]');
  if (ARCHITECTURE === undefined) throw new Error(`there is no image for ${process.arch}`);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  const blobs: TarEntry[] = [];
  const add = (mediaType: string, content: Buffer): Descriptor => {
    const digest = sha256(content);
    blobs.push({ path: `blobs/sha256/${digest}`, mode: 0o644, content });
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${digest}`, size: content.length };
  };
  const plain = writeTar(rootFileSystem());
  const layer = add('layer.v1.tar+gzip', gzipSync(plain, { level: 6 }));
  const labels = {
    'org.opencontainers.image.title': 'userns-audit',
    'org.opencontainers.image.description': DESCRIPTION,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  };
  const config = add(
    'config.v1+json',
    Buffer.from(
      JSON.stringify({
        architecture: ARCHITECTURE,
        os: 'linux',
        config: {
          User: `${USER}:${USER}`,
          Entrypoint: ['/usr/local/bin/node', '/app/userns-audit.cjs'],
          Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
          WorkingDir: '/',
          Labels: labels,
        },
        rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(plain)}`] },
      }),
    ),
  );
  const manifest = add(
    'manifest.v1+json',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config,
        layers: [layer],
        annotations: labels,
      }),
    ),
  );
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...manifest,
        annotations: {
          'io.containerd.image.name': name,
          'org.opencontainers.image.ref.name': name.split(':').at(-1) ?? name,
        },
        platform: { architecture: ARCHITECTURE, os: 'linux' },
      },
    ],
  };
  const archive = writeTar([
    ...directories(blobs.map(({ path }) => path)),
    ...blobs,
    { path: 'index.json', mode: 0o644, content: Buffer.from(JSON.stringify(index)) },
    { path: 'oci-layout', mode: 0o644, content: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
  ]);
  writeFileSync(out, archive);
  console.log(`${basename(out)}: ${name}, ${(archive.length / 1e6).toFixed(0)} MB, sha256:${sha256(archive)}`);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

if (import.meta.main) main(process.argv.slice(2));
