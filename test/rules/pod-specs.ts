// Pods for property tests, and how the API server has them.
import fc from 'fast-check';
import type { ContainerSpec, PodSpec, Volume } from '../../src/core/workload.ts';

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
/** Pods of all kinds rules tell apart. */
export const podSpecs: fc.Arbitrary<PodSpec> = fc
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
export function podObjectOf({ osName, volumes, initContainers, ephemeralContainers, ...rest }: PodSpec): unknown {
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
