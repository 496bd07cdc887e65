// What is rendered from the chart and committed: up to date, applied by kustomize to a real API server, and valid as a bundle.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

describe('what our own rules say of what we install', () => {
  const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  const exception = /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
  const scan = (...options: readonly string[]): readonly OwnFinding[] => {
    const manifests = join(ROOT, 'manifests/kubernetes');
    const { stdout } = runCli('scan', manifests, '--fail-on', 'never', '-o', 'json', ...options);
    return (JSON.parse(stdout) as { readonly findings: readonly OwnFinding[] }).findings;
  };
  const named = (findings: readonly OwnFinding[]): readonly string[] =>
    findings.map(({ rule, subject }) => `${subject.name}: ${rule}`).toSorted();

  test('is what docs/security.md says', () => {
    const told = [...page.matchAll(/^\| (agent|controller) \| `([a-z-]+)` \|/gm)];
    expect(named(scan())).toEqual(told.map(([, part, rule]) => `userns-audit-${part ?? ''}: ${rule ?? ''}`).toSorted());
  });

  test('is accepted by the exception of docs/security.md for the agent alone, and stays listed', () => {
    const dir = mkdtempSync(join(tmpdir(), 'userns-audit-exception-'));
    try {
      const policy = join(dir, 'policy.yaml');
      writeFileSync(policy, exception);
      const findings = scan('--policy', policy);
      expect(named(findings)).toEqual(named(scan()));
      expect(named(findings.filter(({ accepted }) => accepted?.by === 'exception'))).toEqual([
        'userns-audit-agent: privileged-in-host-user-namespace',
        'userns-audit-agent: user-namespace',
      ]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

interface OwnFinding {
  readonly rule: string;
  readonly subject: { readonly name: string };
  readonly accepted?: { readonly by: string };
}

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

  test('takes the exception of docs/security.md strictly', async () => {
    const [, policy = ''] = /^```yaml\n(.*?)^```$/ms.exec(readFileSync(join(ROOT, 'docs/security.md'), 'utf8')) ?? [];
    const strictly = ['--server-side', '--dry-run=server', '--validate=strict'];
    expect(await api?.kubectlWith(policy, 'apply', ...strictly, '-f', '-')).toContain('auditpolicy');
    await expect(
      api?.kubectlWith(policy.replace('reason:', 'raeson:'), 'apply', ...strictly, '-f', '-'),
    ).rejects.toThrow('raeson');
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
