// What is rendered from the chart and committed: up to date, applied by kustomize to a real API server, and valid as a bundle.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestFiles } from '../../tools/generate-manifests.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { requireHelm } from '../helm/helm.ts';
import { requireOperatorVerify } from '../olm/operator-verify.ts';
import { runCli } from '../support/audit.ts';
import { ROOT } from './chart.ts';
import { until } from '../support/until.ts';

const programs = requireControlPlane();
const foundHelm = requireHelm();
const verifier = requireOperatorVerify();
const lacking = (found: object): found is { readonly skipped: string } => 'skipped' in found;
for (const found of [programs, foundHelm, verifier]) if (lacking(found)) console.warn(`skipped: ${found.skipped}`);

(lacking(foundHelm) ? describe.skip : describe)('rendered files', () => {
  test('are what the chart says', () => {
    const files = manifestFiles('helm' in foundHelm ? foundHelm.helm : '');
    const current = ['manifests', 'bundle'].flatMap((directory) =>
      readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
    );
    expect(current.toSorted()).toEqual([...files.keys()].toSorted());
    for (const [path, content] of files)
      // make manifests
      expect([path, readFileSync(join(ROOT, path), 'utf8') === content]).toEqual([path, true]);
  });
});

test('what our own rules say of what we install is what docs/security.md says', () => {
  const { stdout } = runCli('scan', join(ROOT, 'manifests/kubernetes'), '--fail-on', 'never', '-o', 'json');
  const { findings } = JSON.parse(stdout) as { findings: readonly { rule: string; subject: { name: string } }[] };
  expect(findings.map(({ rule, subject }) => `${subject.name}: ${rule}`).toSorted()).toEqual([
    'userns-audit-agent: privileged-in-host-user-namespace',
    'userns-audit-agent: user-namespace',
    'userns-audit-controller: user-namespace',
  ]);
});

(isSkipped(programs) ? describe.skip : describe)('kubectl apply -k', () => {
  let api: ApiServer | undefined;
  const kubectl = (...args: readonly string[]): Promise<string> => {
    if (!api) throw new Error('the API server is not started');
    return api.kubectl(...args);
  };

  beforeAll(async () => {
    if (isSkipped(programs)) return;
    api = await startApiServer(programs);
    await kubectl('apply', '--server-side', '-f', join(ROOT, 'test/chart/foreign-crds.yaml'));
    await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  });

  afterAll(async () => {
    await api?.stop();
  });

  test.each(['kubernetes', 'openshift', 'openshift-agent'])('installs %s, again and again', async (directory) => {
    const path = join(ROOT, 'manifests', directory);
    const apply = () => kubectl('apply', '--server-side', '--force-conflicts', '--validate=strict', '-k', path);
    await apply();
    expect(await apply()).toContain('daemonset.apps/userns-audit-agent serverside-applied');
    expect(await kubectl('get', 'namespace', 'userns-audit', '-o', 'jsonpath={.metadata.labels}')).toContain(
      '"pod-security.kubernetes.io/enforce":"privileged"',
    );
  });

  test('leaves nothing behind when it is deleted', async () => {
    const left = async () =>
      (await kubectl('get', 'clusterroles,clusterrolebindings,validatingadmissionpolicies,crd,scc', '-o', 'name'))
        .split('\n')
        .filter((name) => name.includes('userns-audit'));
    await kubectl('apply', '--server-side', '--force-conflicts', '-k', join(ROOT, 'manifests/openshift'));
    expect((await left()).length).toBeGreaterThan(5);
    await kubectl('delete', '--wait=false', '-k', join(ROOT, 'manifests/openshift'));
    // A definition goes after the last of its objects, in its own time.
    await until('nothing is left', async () => ((await left()).length === 0 ? true : undefined), 30_000);
  });
});

(lacking(verifier) ? describe.skip : describe)('the bundle', () => {
  const verify = (directory: string): { code: number | null; said: string } => {
    const program = 'operatorVerify' in verifier ? verifier.operatorVerify : '';
    const { status, stdout, stderr } = spawnSync(program, ['manifests', directory], { encoding: 'utf8' });
    return { code: status, said: `${stdout}${stderr}` };
  };

  test('is valid to the validator of operator-framework', () => {
    expect(verify(join(ROOT, 'bundle/manifests'))).toEqual({ code: 0, said: '' });
  });

  test('is not, when a definition it owns is missing', () => {
    const dir = mkdtempSync(join(tmpdir(), 'userns-audit-bundle-'));
    try {
      cpSync(join(ROOT, 'bundle/manifests'), dir, { recursive: true });
      rmSync(join(dir, 'userns-audit.dev_nodeaudits.yaml'));
      const { code, said } = verify(dir);
      expect([code, said]).not.toEqual([0, '']);
      expect(said).toContain('NodeAudit');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
