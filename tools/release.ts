// What a release consists of, in a directory: npm package, chart, kubectl plugin with its krew manifest, SBOM, checksums. The same
// commit makes the same bytes.
// usage: RELEASE_URL=https://… node tools/release.ts DIR      (after the bundles are in dist/)
// Archives are downloaded from RELEASE_URL/vVERSION/; without it there is no krew manifest, which has to name the place.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { dump } from 'js-yaml';
import { type TarEntry, writeTar } from './tar.ts';

const ROOT = join(import.meta.dirname, '..');
const CHART = 'charts/userns-audit';
const PLUGIN = 'kubectl-userns_audit';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

/** A component as `npm sbom` tells of it (CycloneDX 1.5). */
interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly group?: string;
}

interface Sbom {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly [field: string]: unknown };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

async function main(out: string | undefined): Promise<void> {
  if (out === undefined) throw new Error('usage: node tools/release.ts DIR');
  const { name, version, description } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const write = (file: string, content: string | Buffer): void => {
    writeFileSync(join(out, file), content);
  };
  run('npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', out);
  // Helm's own package command writes the time into the archive.
  write(`${name}-chart-${version}.tgz`, archive(entriesOf(join(ROOT, CHART), 'userns-audit/')));
  const plugin = archive(pluginEntries());
  write(`${PLUGIN}-${version}.tar.gz`, plugin);
  const url = process.env['RELEASE_URL'] ?? '';
  if (url === '')
    console.error(`RELEASE_URL is not set: ${name}.krew.yaml, which names where archives are, is left out`);
  else write(`${name}.krew.yaml`, krewManifest({ version, description, digest: sha256(plugin), url: releaseUrl(url) }));
  write(`${name}-${version}.cdx.json`, await sbom(version));
  const files = readdirSync(out).toSorted();
  write('SHA256SUMS', files.map((file) => `${sha256(readFileSync(join(out, file)))}  ${file}\n`).join(''));
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function archive(entries: readonly TarEntry[]): Buffer {
  return gzipSync(writeTar(entries), { level: 9 });
}

/** Files of a directory, sorted, as entries of an archive. */
function entriesOf(directory: string, prefix: string): readonly TarEntry[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => ({
      path: `${prefix}${path.slice(directory.length + 1)}`,
      mode: 0o644,
      content: readFileSync(path),
    }));
}

/** The command line under the name kubectl looks for, with what it loads beside it. */
function pluginEntries(): readonly TarEntry[] {
  const bundles = entriesOf(join(ROOT, 'dist'), '').filter(({ path }) => /^[\w-]+\.cjs$/.test(path));
  const named = bundles.map((entry) =>
    entry.path === 'userns-audit.cjs' ? { ...entry, path: PLUGIN, mode: 0o755 } : entry,
  );
  if (named.every(({ path }) => path !== PLUGIN)) throw new Error('dist/userns-audit.cjs is missing: make build');
  return [...named, { path: 'LICENSE', mode: 0o644, content: readFileSync(join(ROOT, 'LICENSE')) }];
}

/** Without the slashes at its end. @throws Error for what krew does not download from */
function releaseUrl(text: string): string {
  if (!/^https:\/\/[^\s/]/.test(text)) throw new Error(`RELEASE_URL is no https URL: ${text}`);
  return text.replace(/\/+$/, '');
}

interface PluginRelease {
  readonly version: string;
  readonly description: string;
  /** SHA-256 of the archive. */
  readonly digest: string;
  readonly url: string;
}

function krewManifest({ version, description, digest, url }: PluginRelease): string {
  return dump(
    {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name: 'userns-audit' },
      spec: {
        version: `v${version}`,
        shortDescription: 'Audit and adopt Linux user namespaces',
        description: `${description}.\nNeeds Node.js 24 or later.\n`,
        platforms: [
          {
            selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] },
            uri: `${url}/v${version}/${PLUGIN}-${version}.tar.gz`,
            sha256: digest,
            bin: PLUGIN,
            files: [{ from: '*', to: '.' }],
          },
        ],
      },
    },
    { lineWidth: 120 },
  );
}

/** CycloneDX by npm, of what is bundled and not of what only builds; with the commit's time, and a serial number of its content. */
async function sbom(version: string): Promise<string> {
  const all = JSON.parse(run('npm', 'sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application')) as Sbom;
  const bundled = await bundledPackages();
  const components = all.components.filter(({ name, group }) => bundled.has(group ? `${group}/${name}` : name));
  const kept = new Set([`userns-audit@${version}`, ...components.map((component) => component['bom-ref'])]);
  const dependencies = all.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }));
  const seconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? run('git', 'log', '-1', '--format=%ct'));
  const timestamp = new Date(seconds * 1000).toISOString();
  const content = { ...all, metadata: { ...all.metadata, timestamp }, components, dependencies, serialNumber: '' };
  const digest = sha256(JSON.stringify(content));
  const serial = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `5${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
  return `${JSON.stringify({ ...content, serialNumber: `urn:uuid:${serial}` }, undefined, 2)}\n`;
}

async function bundledPackages(): Promise<ReadonlySet<string>> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'src/main.ts')],
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const names = Object.keys(metafile.inputs).map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return new Set(names.filter((name) => name !== undefined));
}

await main(process.argv[2]);
