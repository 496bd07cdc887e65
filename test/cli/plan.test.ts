import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { parse, parseAllDocuments, stringify } from 'yaml';
import type { PlanDocument } from '../../src/report/plan-json.ts';
import { directoryWith, emptyDirectory, filesIn, sampleRepository, userns } from './scan-cli.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/adoption');

function planOf(args: readonly string[], cwd: string): PlanDocument {
  const { stdout } = userns(['plan', '-o', 'json', ...args], { cwd });
  return JSON.parse(stdout) as PlanDocument;
}

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** A patch as kubectl applies it, with no server: what it makes of the object, and what it read of the object itself. */
function kubectlPatch(
  object: unknown,
  patch: string,
  type: string,
): { readonly before: unknown; readonly after: unknown } {
  const cwd = directoryWith({ 'object.json': JSON.stringify(object) });
  const run = (args: readonly string[]): unknown => {
    const { status, stdout, stderr } = spawnSync(
      'kubectl',
      ['patch', '--local', '-f', 'object.json', `--type=${type}`, '-o', 'json', ...args],
      { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: cwd, KUBECONFIG: '/dev/null' } },
    );
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };
  return { before: run(['-p', '{}']), after: run(['--patch-file', patch]) };
}

const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
if (!hasKubectl && process.env['CI'] === 'true') throw new Error('These tests need kubectl to apply the patches.');
const withKubectl = hasKubectl ? describe : describe.skip;

/** The object with hostUsers: false put in where the test knows it belongs. */
function adopted(object: unknown): unknown {
  const copy = structuredClone(object) as KubernetesObject;
  const path = { Pod: ['spec'], CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'] }[copy.kind];
  let pod = copy as unknown as Record<string, unknown>;
  for (const key of path ?? ['spec', 'template', 'spec']) pod = pod[key] as Record<string, unknown>;
  pod['hostUsers'] = false;
  return copy;
}

withKubectl(`the patches${hasKubectl ? '' : ' (skipped: kubectl is not installed)'}`, () => {
  const directory = emptyDirectory();
  let plan: PlanDocument;
  beforeAll(() => {
    plan = planOf(['.', '--patch', directory], FIXTURES);
  });
  const objects = readdirSync(FIXTURES).flatMap((file) =>
    parseAllDocuments(readFileSync(join(FIXTURES, file), 'utf8')).map(
      (document) => document.toJS() as KubernetesObject,
    ),
  );

  test('make exactly the one change in every workload that is ready', () => {
    const ready = plan.workloads.filter(({ standing }) => standing === 'ready');
    expect(ready.length).toBeGreaterThanOrEqual(10);
    for (const { subject, patch } of ready) {
      const object = objects.find(({ kind, metadata }) => kind === subject.kind && metadata.name === subject.name);
      const type = subject.kind === 'Rollout' ? 'merge' : 'strategic';
      const { before, after } = kubectlPatch(object, join(directory, patch ?? 'no patch'), type);
      expect(after).toEqual(adopted(before));
    }
  });

  test('turn hostUsers: true, and leave alone what needs more', () => {
    const patched = plan.workloads.filter(({ patch }) => patch !== undefined).map(({ subject }) => subject.name);
    const changes = plan.workloads.filter(({ standing }) => standing === 'change').map(({ subject }) => subject.name);
    expect(changes.filter((name) => patched.includes(name))).toEqual(['opted-out']);
    expect(filesIn(directory)).toHaveLength(patched.length);
    expect(parse(readFileSync(join(directory, 'shop.deployment.opted-out.yaml'), 'utf8'))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'opted-out', namespace: 'shop' },
      spec: { template: { spec: { hostUsers: false } } },
    });
  });

  test('are those of a kustomization, too', () => {
    const object = objects.find(({ metadata }) => metadata.name === 'storefront');
    const cwd = directoryWith({
      'web.yaml': stringify(object),
      'patch.yaml': readFileSync(join(directory, 'shop.deployment.storefront.yaml'), 'utf8'),
      'kustomization.yaml': 'resources: [web.yaml]\npatches: [{ path: patch.yaml }]\n',
    });
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', '.'], { cwd, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(parse(stdout)).toEqual(adopted(object));
  });

  test('hold whatever a workload is called', () => {
    const label = fc.stringMatching(/^[a-z0-9](?:[-a-z0-9]{0,8}[a-z0-9])?$/);
    const name = fc.oneof(label, fc.constantFrom('null', 'true', 'no', '1', '1e3', '0x1', 'a.b.c', '2026-01-01'));
    fc.assert(
      fc.property(name, label, fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet'), (object, namespace, kind) => {
        const manifest = {
          apiVersion: 'apps/v1',
          kind,
          metadata: { name: object, namespace },
          spec: { template: { spec: { containers: [{ name: 'app', image: 'i' }] } } },
        };
        const cwd = directoryWith({ 'a.json': JSON.stringify(manifest) });
        const [planned] = planOf(['a.json', '--patch', 'out'], cwd).workloads;
        expect(planned?.standing).toBe('ready');
        const patch = parse(readFileSync(join(cwd, 'out', planned?.patch ?? ''), 'utf8')) as unknown;
        expect(patch).toEqual({ ...manifest, spec: { template: { spec: { hostUsers: false } } } });
      }),
      { numRuns: 25 },
    );
  });
});

describe('plan', () => {
  test('shows the steps with their effect, and what stops the rest', () => {
    const { code, stdout, stderr } = userns(['plan'], { cwd: sampleRepository() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('1 of 4 workloads ready now, 2 blocked, 1 has it, 2 not counted (Kubernetes 1.36)');
    expect(stdout).toContain('25.0% now, 50.0% with what is ready');
    expect(stdout).toMatch(/^ +1 +Deployment shop\/web +50\.0% +apps\/shop\.yaml:\d+:\d+$/m);
    expect(stdout).toMatch(/blocked deploy\/agent\.yaml:\d+:\d+ spec\.template\.spec\.hostPID\n.*https:/);
  });

  test('takes what the manifests do not tell', () => {
    const given = [
      '--storage-class',
      'fast=ebs.csi.aws.com',
      '--claim',
      'data/wiki-pages=nfs',
      '--runtime-class',
      'gvisor=crun',
    ];
    const standings = new Map(
      planOf(given, FIXTURES).workloads.map(({ subject, standing }) => [subject.name, standing]),
    );
    expect(standings.get('postgres')).toBe('ready');
    expect(standings.get('wiki')).toBe('blocked');
    expect(standings.get('sandboxed')).toBe('ready');
    expect(standings.get('queue')).toBe('unknown');
  });

  describe('exceptions and waivers', () => {
    const deployment = (name: string, more = ''): string =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\n  namespace: shop\n${more}spec:\n  template:\n    spec:\n      containers: [{ name: app, image: i }]\n`;
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10);
    const exception = (workload: string, reason: string, expires = ''): string =>
      `  - { rules: [user-namespace], workloads: [Deployment/${workload}], reason: ${reason}${expires && `, expires: ${expires}`} }\n`;
    const files = {
      'a/web.yaml': deployment('web'),
      'a/api.yaml': deployment('api'),
      'a/old.yaml': deployment('old'),
      'a/waived.yaml': deployment('waived', '  annotations: { waive.userns-audit.dev/user-namespace: moves in May }\n'),
      'a/commented.yaml': deployment('commented').replace(
        '    spec:\n',
        '    # userns-audit: waive user-namespace: a comment says so\n    spec:\n',
      ),
      'policy.yaml': `apiVersion: userns-audit.dev/v1alpha1\nkind: AuditPolicy\nmetadata: { name: cluster }\nspec:\n  exceptions:\n${exception('web', 'vendor')}${exception('api', 'trial', soon)}${exception('old', 'past', '2026-01-02')}${exception('gone', 'left')}`,
    };

    test('are told beside the workload, which is no step any more and is not dropped', () => {
      const cwd = directoryWith(files);
      const { workloads, exceptions, problems, adoption } = planOf(['a', '--policy', 'policy.yaml'], cwd);
      const told = workloads.map(({ subject, standing, step, accepted = [] }) => [
        subject.name,
        standing,
        step,
        accepted.map(({ by, reason, expiring = false }) => [by, reason, expiring]),
      ]);
      expect(told).toEqual([
        ['old', 'ready', 1, []],
        ['api', 'ready', undefined, [['exception', 'trial', true]]],
        ['commented', 'ready', undefined, [['waiver', 'a comment says so', false]]],
        ['waived', 'ready', undefined, [['waiver', 'moves in May', false]]],
        ['web', 'ready', undefined, [['exception', 'vendor', false]]],
      ]);
      expect(exceptions.map(({ reason, state, matched }) => [reason, state, matched])).toEqual([
        ['vendor', 'matched', 1],
        ['trial', 'expiring', 1],
        ['past', 'expired', 1],
        ['left', 'unused', 0],
      ]);
      expect(problems.map(({ kind, fatal }) => [kind, fatal])).toEqual([
        ['expired-exception', false],
        ['unused-exception', false],
      ]);
      expect(adoption).toEqual({ now: 0, withReady: 0.2, withChanges: 0.2 });
    });

    test('agree with what a scan accepts', () => {
      const cwd = directoryWith(files);
      const args = ['scan', 'a', '--policy', 'policy.yaml', '--rule', 'user-namespace', '-o', 'json'];
      const scanned = JSON.parse(userns(args, { cwd }).stdout) as {
        findings: readonly { subject: { name: string }; accepted?: { reason: string } }[];
      };
      const planned = planOf(['a', '--policy', 'policy.yaml'], cwd).workloads.flatMap(({ subject, accepted = [] }) =>
        accepted.map(({ reason }) => `${subject.name}: ${reason}`),
      );
      const accepted = scanned.findings.flatMap(({ subject, accepted: by }) =>
        by ? [`${subject.name}: ${by.reason}`] : [],
      );
      expect(planned.toSorted()).toEqual(accepted.toSorted());
    });

    test('show in every format, and get no patch', () => {
      const cwd = directoryWith(files);
      const { stdout, stderr } = userns(['plan', 'a', '--policy', 'policy.yaml', '--patch', 'out'], { cwd });
      expect(stdout).toContain('5 of 5 workloads ready now, 4 accepted as they are');
      expect(stdout).toMatch(new RegExp(`accepted user-namespace by exception until ${soon} \\(ends soon\\): trial`));
      expect(stdout).toMatch(/^ +unused +user-namespace +0 findings +left$/m);
      expect(stderr).toContain('no patch    Deployment web: it is accepted as it is');
      expect(filesIn(join(cwd, 'out'))).toEqual(['shop.deployment.old.yaml']);
      const page = userns(['plan', 'a', '--policy', 'policy.yaml', '-o', 'markdown'], { cwd }).stdout;
      expect(page).toContain('accepted: user-namespace by exception: vendor');
      expect(page).toMatch(/### EXCEPTIONS[\s\S]*\| expired \|/);
    });

    test('a policy that is none refuses the run', () => {
      const cwd = directoryWith({ ...files, 'policy.yaml': 'kind: AuditPolicy\n' });
      expect(userns(['plan', 'a', '--policy', 'policy.yaml'], { cwd }).code).toBe(2);
    });
  });

  test('as JSON obeys its schema, and holds nothing the schema does not name', () => {
    const schema = JSON.parse(readFileSync(join(FIXTURES, '../../../docs/schema/plan-v1.json'), 'utf8')) as object;
    const closed = JSON.parse(
      JSON.stringify(schema).replaceAll('"type":"object"', '"type":"object","additionalProperties":false'),
    ) as object;
    const ajv = new Ajv2020({ allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(closed);
    const policy = directoryWith({
      'policy.yaml':
        'apiVersion: userns-audit.dev/v1alpha1\nkind: AuditPolicy\nmetadata: { name: cluster }\nspec:\n  exceptions: [{ rules: ["*"], namespaces: ["*"], reason: all, expires: 2099-01-01 }]\n',
    });
    for (const cwd of [FIXTURES, sampleRepository(), directoryWith({})]) {
      validate(planOf(['.', '--patch', emptyDirectory(), '--policy', join(policy, 'policy.yaml')], cwd));
      expect(validate.errors ?? []).toEqual([]);
    }
  });

  test('as Markdown is a page of tables', () => {
    const { stdout } = userns(['plan', '-o', 'markdown'], { cwd: FIXTURES });
    expect(stdout).toContain('| 1 | CronJob shop/invoices | `apps.yaml:');
    expect(stdout).toMatch(/### BLOCKED\n\n\| Workload \| Place \| Why \|/);
    for (const line of stdout.split('\n').filter((text) => text.startsWith('|')))
      expect(line.match(/(?<!\\)\|/g)?.length).toBeGreaterThanOrEqual(3);
  });

  test('what stands in a list, or has no name yet, gets no patch and a reason', () => {
    const cwd = directoryWith({
      'a.yaml':
        'apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: set}\nspec:\n  replicatedJobs:\n  - {name: a, template: {spec: {template: {spec: {containers: [{name: c, image: i}]}}}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: "x:y"}\nspec: {containers: [{name: c, image: i}]}\n',
    });
    const { code, stderr } = userns(['plan', 'a.yaml', '--patch', 'out'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('it stands in a list');
    expect(stderr).toContain("'x:y' is no name");
    expect(stderr).toContain('0 files of patches');
  });

  test('gives twins of one name a patch each', () => {
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}]}\n';
    const cwd = directoryWith({ 'a/p.yaml': pod, 'b/p.yaml': pod });
    userns(['plan', '--patch', 'out', 'a', 'b'], { cwd });
    expect(filesIn(join(cwd, 'out'))).toEqual(['pod.p.2.yaml', 'pod.p.yaml']);
  });

  test('ends with 2 where something could not be read, and plans the rest', () => {
    const cwd = sampleRepository();
    const broken = directoryWith({ 'broken.yaml': 'a: [' });
    const { code, stdout } = userns(['plan', '.', join(broken, 'broken.yaml')], { cwd });
    expect(code).toBe(2);
    expect(stdout).toContain('NOT JUDGED');
    expect(stdout).toContain('Deployment shop/web');
  });

  test.each([
    ['a missing file', ['no.yaml']],
    ['a format it has not', ['-o', 'sarif']],
    ['a class without a driver', ['--storage-class', 'fast']],
    ['a directory that is not empty', ['--patch', '.']],
    ['a namespace without a cluster', ['--namespace', 'shop']],
    ['a kubeconfig that is not there', ['--cluster', '--kubeconfig', 'no-such-file']],
    ['a policy that is not there', ['--policy', 'no-such-file']],
  ])('%s is refused', (_, args) => {
    expect(userns(['plan', ...args], { cwd: sampleRepository() }).code).toBe(2);
  });
});
