// What `make release` makes: the same bytes every time, and each of it of use.
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { CHART, NAMESPACE, RELEASE, render, ROOT } from '../chart/chart.ts';
import { isSkipped, requireControlPlane } from '../control-plane/control-plane.ts';
import { requireHelm } from '../helm/helm.ts';

interface Sbom {
  readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
}

let dir = '';
let out = '';

function release(to: string, url = 'https://downloads.example.com/'): SpawnSyncReturns<string> {
  const env = { ...process.env, RELEASE_URL: url };
  return spawnSync(process.execPath, ['tools/release.ts', to], { cwd: ROOT, env, encoding: 'utf8' });
}

function unpack(archive: string): string {
  const to = join(dir, archive.replace(/\W/g, '-'));
  mkdirSync(to);
  execFileSync('tar', ['-C', to, '-xzf', join(out, archive)]);
  return to;
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'userns-audit-release-'));
  out = join(dir, 'first');
  expect(release(out)).toMatchObject({ status: 0, stderr: '' });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

test('the same commit makes the same bytes', () => {
  const again = join(dir, 'second');
  release(again);
  const files = readdirSync(out).toSorted();
  expect(readdirSync(again).toSorted()).toEqual(files);
  for (const file of files)
    expect([file, readFileSync(join(again, file)).equals(readFileSync(join(out, file)))]).toEqual([file, true]);
});

test('checksums hold for every file', () => {
  const said = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: out, encoding: 'utf8' });
  expect(said.trim().split('\n').toSorted()).toEqual(
    readdirSync(out)
      .filter((file) => file !== 'SHA256SUMS')
      .map((file) => `${file}: OK`)
      .toSorted(),
  );
});

test('the plugin runs under the name kubectl looks for, and its manifest names the archive by its digest', () => {
  const [archive = ''] = readdirSync(out).filter((file) => file.startsWith('kubectl-'));
  const plugin = join(unpack(archive), 'kubectl-userns_audit');
  const { stdout, status } = spawnSync(plugin, ['explain', 'user-namespace'], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, expect.stringContaining('hostUsers')]);
  const manifest = load(readFileSync(join(out, 'userns-audit.krew.yaml'), 'utf8'));
  expect(manifest).toMatchObject({
    kind: 'Plugin',
    metadata: { name: 'userns-audit' },
    spec: {
      version: expect.stringMatching(/^v\d+\.\d+\.\d+$/) as unknown,
      platforms: [
        {
          uri: expect.stringMatching(new RegExp(`^https://downloads\\.example\\.com/v[\\d.]+/${archive}$`)) as unknown,
          sha256: createHash('sha256')
            .update(readFileSync(join(out, archive)))
            .digest('hex'),
          bin: 'kubectl-userns_audit',
        },
      ],
    },
  });
});

test('without a place to download from there is no krew manifest, and it is said', () => {
  const to = join(dir, 'without');
  const { status, stderr } = release(to, '');
  expect([status, stderr]).toEqual([0, expect.stringContaining('userns-audit.krew.yaml')]);
  expect(readdirSync(to)).toEqual(readdirSync(out).filter((file) => file !== 'userns-audit.krew.yaml'));
  expect(release(to, 'downloads.example.com')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('RELEASE_URL is no https URL') as unknown,
  });
});

const programs = requireControlPlane();
if (isSkipped(programs)) console.warn(`skipped: ${programs.skipped}`);
(isSkipped(programs) ? test.skip : test)('kubectl finds the plugin and runs it as its own command', () => {
  const kubectl = isSkipped(programs) ? '' : programs.kubectl;
  const [archive = ''] = readdirSync(out).filter((file) => file.startsWith('kubectl-'));
  const path = join(dir, 'plugins');
  mkdirSync(path);
  execFileSync('tar', ['-C', path, '-xzf', join(out, archive)]);
  const env = { PATH: `${path}:${dirname(process.execPath)}:/usr/bin:/bin`, HOME: dir };
  const run = (...args: readonly string[]) => spawnSync(kubectl, args, { encoding: 'utf8', env });
  expect(run('plugin', 'list', '--name-only').stdout).toContain('kubectl-userns_audit\n');
  const { status, stdout, stderr } = run('userns-audit', 'explain', 'user-namespace');
  expect([status, stdout, stderr]).toEqual([0, expect.stringContaining('hostUsers'), '']);
  expect(run('userns-audit', 'scan', 'no-such-directory').status).toBe(2);
});

test('the npm package runs', () => {
  const [archive = ''] = readdirSync(out).filter((file) => /^userns-audit-\d.*\.tgz$/.test(file));
  const program = join(unpack(archive), 'package/dist/userns-audit.cjs');
  expect(spawnSync(process.execPath, [program, 'rules'], { encoding: 'utf8' }).status).toBe(0);
});

test('the SBOM has what is bundled, and not what builds or tests', () => {
  const [file = ''] = readdirSync(out).filter((name) => name.endsWith('.cdx.json'));
  const names = (JSON.parse(readFileSync(join(out, file), 'utf8')) as Sbom).components.map(({ name }) => name);
  for (const name of ['commander', 'prom-client', 'winston', 'js-yaml']) expect(names).toContain(name);
  for (const name of ['jest', 'eslint', 'typescript', 'esbuild', 'playwright-core']) expect(names).not.toContain(name);
});

const found = requireHelm();
if ('skipped' in found) console.warn(`skipped: ${found.skipped}`);
('skipped' in found ? test.skip : test)('the packed chart renders as the chart of the repository', () => {
  const helm = 'helm' in found ? found.helm : '';
  const [archive = ''] = readdirSync(out).filter((file) => file.startsWith('userns-audit-chart-'));
  const args = [
    'template',
    RELEASE,
    join(out, archive),
    '--namespace',
    NAMESPACE,
    '--kube-version',
    '1.36.0',
    '--include-crds',
  ];
  const packed = execFileSync(helm, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  expect(packed).toBe(render(helm, [], ['--include-crds']));
  expect(readdirSync(join(CHART, 'crds')).length).toBe(
    [...packed.matchAll(/^kind: CustomResourceDefinition$/gm)].length,
  );
});
