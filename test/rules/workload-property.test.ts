import { expect, test } from '@jest/globals';
import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { MANIFEST_RULES } from '../../src/rules/index.ts';
import type { ContainerSpec, PodSpec, Volume } from '../../src/core/workload.ts';
import { CEL_POD_SECURITY, CEL_RULES, CEL_VARIABLES } from './workload-cel.ts';
import { violationsOf, workloadOf } from './workload-sample.ts';

const boolean = fc.boolean();
const id = fc.oneof(fc.constantFrom(0, 1, 1000, 65_534, 65_535, 65_536, 65_537, 1_000_660_000), fc.nat(200_000));
const capability = fc.constantFrom(
  'ALL',
  'SYS_ADMIN',
  'CAP_SYS_ADMIN',
  'CAP_BPF',
  'NET_ADMIN',
  'SYS_TIME',
  'CHOWN',
  'MAC_ADMIN',
);

function optional<T extends object>(model: { readonly [K in keyof T]-?: fc.Arbitrary<T[K]> }): fc.Arbitrary<
  Partial<T>
> {
  return fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

const ids = { runAsUser: id, runAsGroup: id, runAsNonRoot: boolean };
const securityContext = optional({
  ...ids,
  privileged: boolean,
  procMount: fc.constantFrom('Default', 'Unmasked'),
  capabilities: optional({ add: fc.array(capability, { maxLength: 3 }), drop: fc.constant(['ALL']) }),
});
const podSecurityContext = optional({ ...ids, fsGroup: id, supplementalGroups: fc.array(id, { maxLength: 3 }) });
const container = fc
  .tuple(
    fc.option(securityContext),
    fc.option(fc.array(fc.constant({ name: 'disk', devicePath: '/dev/sda' }), { maxLength: 1 })),
  )
  .map(([context, devices]) => ({
    name: 'c',
    ...(context ? { securityContext: context } : {}),
    ...(devices ? { volumeDevices: devices } : {}),
  })) as fc.Arbitrary<ContainerSpec>;
const driver = fc.constantFrom(
  'nfs.csi.k8s.io',
  'x.cephfs.csi.ceph.com',
  'ebs.csi.aws.com',
  'notefs.csi.aws.com',
  'manila.csi.openstack.org.example',
);
const volume: fc.Arbitrary<Volume> = fc.oneof(
  fc.constantFrom('emptyDir', 'nfs', 'cephfs', 'azureFile', 'hostPath').map((source) => ({ name: 'v', source })),
  driver.map((name) => ({ name: 'v', source: 'csi', driver: name })),
);
const containers = (minLength: number): fc.Arbitrary<ContainerSpec[]> =>
  fc.array(container, { minLength, maxLength: 2 });
const podSpec: fc.Arbitrary<PodSpec> = fc
  .tuple(
    optional({
      hostPID: boolean,
      hostIPC: boolean,
      hostNetwork: boolean,
      hostUsers: boolean,
      osName: fc.constantFrom('linux', 'windows'),
    }),
    fc.option(podSecurityContext),
    fc.record({ containers: containers(1), initContainers: containers(0), ephemeralContainers: containers(0) }),
    fc.array(volume, { maxLength: 2 }),
  )
  .map(([fields, context, lists, volumes]) => ({
    ...fields,
    ...(context ? { securityContext: context } : {}),
    ...lists,
    volumes,
  }));

/** The pod as the API server would have it, with integers as CEL knows them. */
function toObject({ osName, volumes, initContainers, ephemeralContainers, ...rest }: PodSpec): unknown {
  const spec = {
    ...rest,
    ...(osName === undefined ? {} : { os: { name: osName } }),
    ...(initContainers.length > 0 ? { initContainers } : {}),
    ...(ephemeralContainers.length > 0 ? { ephemeralContainers } : {}),
    ...(volumes.length > 0
      ? {
          volumes: volumes.map(({ name, source = '', driver: csi }) => ({
            name,
            [source]: csi === undefined ? {} : { driver: csi },
          })),
        }
      : {}),
  };
  return withBigInts({ spec });
}

function withBigInts(value: unknown): unknown {
  if (typeof value === 'number') return BigInt(value);
  if (Array.isArray(value)) return value.map(withBigInts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBigInts(item)]));
}

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
const variables = Object.entries(CEL_VARIABLES).map(
  ([name, expression]) => [name, environment.parse(expression)] as const,
);

function evaluate(expression: ReturnType<typeof environment.parse>, spec: PodSpec): unknown {
  const object = toObject(spec);
  return expression({
    object,
    variables: Object.fromEntries(variables.map(([name, variable]) => [name, variable({ object }) as unknown])),
  });
}

test('every rule over workloads has its twin, but the one Kubernetes has no field for', () => {
  const ids = MANIFEST_RULES.filter(({ kind }) => kind === 'workload').map((rule) => rule.id);
  expect(Object.keys(CEL_RULES).toSorted()).toEqual(ids.filter((rule) => rule !== 'host-uts-namespace'));
});

const twins = Object.entries(CEL_RULES).map(([rule, expression]) => ['as it is', rule, {}, expression] as const);
const admissions = CEL_POD_SECURITY.map(
  ([rule, podSecurity, minor, expression]) =>
    [`as Pod Security ${podSecurity} of 1.${minor}`, rule, { podSecurity, minor }, expression] as const,
);

test.each([...twins, ...admissions])('%s: %s agrees with an independent evaluation', (_, ruleId, target, source) => {
  const rule = MANIFEST_RULES.find(({ id: other }) => other === ruleId);
  if (rule?.kind !== 'workload') throw new Error(`${ruleId} judges no workloads`);
  const expression = environment.parse(source);
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(podSpec, (spec) => {
      const complies = violationsOf(rule, workloadOf(spec), target).length === 0;
      seen[`${complies}`] += 1;
      expect(evaluate(expression, spec)).toBe(complies);
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(20);
});
