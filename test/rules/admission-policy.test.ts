// The rules as admission policies: equivalent to the rules by an independent evaluator of CEL, and at work on a real API server.
import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { runCli } from '../support/audit.ts';
import { type ApiServer, isSkipped, requireControlPlane, startApiServer } from '../control-plane/control-plane.ts';
import { MANIFEST_RULES } from '../../src/rules/index.ts';
import { ADMISSION_RULES, ADMISSION_VARIABLES, admissionExpression } from '../../src/report/admission-policy.ts';
import { podObjectOf, podSpecs } from './pod-specs.ts';
import { violationsOf, workloadOf } from './workload-sample.ts';

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
const variables = ADMISSION_VARIABLES.map(([name, expression]) => [name, environment.parse(expression)] as const);

/** Objects that have a pod's spec where the API has it. */
const SHAPES: Readonly<Record<string, (spec: unknown) => unknown>> = {
  Pod: (spec) => ({ kind: 'Pod', spec }),
  Deployment: (spec) => ({ kind: 'Deployment', spec: { template: { spec } } }),
  CronJob: (spec) => ({ kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec } } } } }),
};

describe.each(ADMISSION_RULES)('%s', (id) => {
  test.each(Object.entries(SHAPES))('of a %s says what the rule says', (_, shape) => {
    const rule = MANIFEST_RULES.find((one) => one.id === id);
    if (rule?.kind !== 'workload') throw new Error(`${id} judges no workloads`);
    const expression = environment.parse(admissionExpression(id));
    const seen = { true: 0, false: 0 };
    fc.assert(
      fc.property(podSpecs, (spec) => {
        const { spec: own } = podObjectOf(spec) as { readonly spec: unknown };
        const context: { object: unknown; variables: Record<string, unknown> } = { object: shape(own), variables: {} };
        for (const [name, variable] of variables) context.variables[name] = variable(context);
        const complies = violationsOf(rule, workloadOf(spec), {}).length === 0;
        seen[`${complies}`] += 1;
        expect(expression(context)).toBe(complies);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(10);
  });
});

test('there is one for every rule over workloads, but the one Kubernetes has no field for', () => {
  const ids = MANIFEST_RULES.filter(({ kind }) => kind === 'workload').map(({ id }) => id);
  expect(ADMISSION_RULES.toSorted()).toEqual(ids.filter((id) => id !== 'host-uts-namespace').toSorted());
});

test.each([
  [['--rule', 'kernel-namespaces'], "option '--rule <id>' argument 'kernel-namespaces' is invalid"],
  [['--action', 'Warn', '--action', 'Deny'], 'what is denied is told anyway'],
  [['--namespace-label', 'team'], 'a label as NAME=VALUE'],
])('%j is refused with a reason', (args, reason) => {
  const { code, stderr } = runCli('policy', ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
});

const programs = requireControlPlane();
if (isSkipped(programs)) console.warn(`skipped: ${programs.skipped}`);

(isSkipped(programs) ? describe.skip : describe)('on a real API server', () => {
  let api: ApiServer | undefined;
  const kubectlWith = (input: string, ...args: readonly string[]): Promise<string> => {
    if (!api) throw new Error('the API server is not started');
    return api.kubectlWith(input, ...args);
  };
  const install = (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = runCli('policy', ...args);
    if (code !== 0) throw new Error(stderr);
    return kubectlWith(stdout, 'apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', '-');
  };
  const container = { name: 'c', image: 'i', securityContext: { runAsNonRoot: true, runAsUser: 1000 } };
  const create = (kind: string, spec: Readonly<Record<string, unknown>>, namespace: string): Promise<string> => {
    const pod = { containers: [container], ...spec };
    const metadata = { name: 'x', namespace };
    const labels = { app: 'x' };
    const object =
      kind === 'Pod'
        ? { apiVersion: 'v1', kind, metadata, spec: pod }
        : {
            apiVersion: 'apps/v1',
            kind,
            metadata,
            spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
          };
    return kubectlWith(JSON.stringify(object), 'create', '--dry-run=server', '-f', '-').catch((error: unknown) =>
      String(error),
    );
  };
  const ready = async (probe: () => Promise<boolean>): Promise<void> => {
    const end = Date.now() + 30_000;
    while (!(await probe())) if (Date.now() > end) throw new Error('the policies take no effect');
  };

  const BROKEN: readonly (readonly [rule: string, spec: Readonly<Record<string, unknown>>])[] = [
    ['host-pid-namespace', { hostPID: true }],
    ['host-ipc-namespace', { hostIPC: true }],
    ['host-network-namespace', { hostNetwork: true }],
    ['user-namespace', {}],
    ['root-in-host-user-namespace', { containers: [{ name: 'c', image: 'i' }] }],
    ['privileged-in-host-user-namespace', { containers: [{ ...container, securityContext: { privileged: true } }] }],
    [
      'privileged-in-host-user-namespace',
      { initContainers: [{ ...container, name: 'i', securityContext: { capabilities: { add: ['sys_admin'] } } }] },
    ],
    ['user-namespace-ids', { hostUsers: false, securityContext: { fsGroup: 65_536 } }],
    ['user-namespace-volumes', { hostUsers: false, volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }],
  ];

  beforeAll(async () => {
    if (isSkipped(programs)) return;
    api = await startApiServer(programs);
    // The API server tells of one refusal alone: every rule has a namespace of its own.
    for (const rule of [...ADMISSION_RULES, 'quiet']) {
      await kubectlWith('', 'create', 'namespace', rule);
      await kubectlWith('', 'label', 'namespace', rule, `rule=${rule}`);
      await kubectlWith('', 'create', 'serviceaccount', 'default', '-n', rule);
    }
    for (const rule of ADMISSION_RULES)
      await install('--rule', rule, '--action', 'Deny', '--namespace-label', `rule=${rule}`);
    for (const [rule, spec] of BROKEN) await ready(async () => (await create('Pod', spec, rule)).includes('denied'));
  });

  afterAll(async () => {
    await api?.stop();
  });

  test.each(BROKEN)('%s is denied for %j, in pods and templates', async (rule, spec) => {
    for (const kind of ['Pod', 'Deployment', 'DaemonSet'])
      expect(await create(kind, spec, rule)).toContain(`'userns-audit-${rule}' denied request: ${rule}: `);
  });

  test('what complies is admitted', async () => {
    for (const rule of ADMISSION_RULES)
      for (const kind of ['Pod', 'Deployment'])
        expect([rule, await create(kind, { hostUsers: false }, rule)]).toEqual([
          rule,
          expect.stringContaining('created'),
        ]);
  });

  test('other namespaces are not asked', async () => {
    expect(await create('Pod', { hostPID: true }, 'quiet')).toContain('created');
  });

  test('Warn only warns, and pods alone are asked where that is wanted', async () => {
    await install('--rule', 'host-pid-namespace', '--action', 'Warn', '--objects', 'pods');
    await ready(async () => (await create('Pod', { hostPID: true }, 'host-pid-namespace')).includes('created'));
    const policy = await kubectlWith(
      '',
      'get',
      'validatingadmissionpolicy',
      'userns-audit-host-pid-namespace',
      '-o',
      'json',
    );
    expect(policy).not.toContain('"deployments"');
  });

  test('a namespace that is excluded is not asked, all others are', async () => {
    await install('--rule', 'user-namespace', '--action', 'Deny', '--exclude-namespace', 'user-namespace');
    await ready(async () => (await create('Pod', {}, 'quiet')).includes('denied'));
    await ready(async () => (await create('Pod', {}, 'user-namespace')).includes('created'));
  });
});
