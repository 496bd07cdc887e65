import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { addServiceCommands, type ServiceActions } from '../../src/cli/service-commands.ts';
import { Command } from 'commander';
import { requireHelm } from '../helm/helm.ts';
import { CHART, EVERYTHING, find, type Manifest, parse, podOf, render, runHelm, settings, VALUES } from './chart.ts';

const found = requireHelm();
if ('skipped' in found) console.warn(`skipped: ${found.skipped}`);
const helm = 'skipped' in found ? '' : found.helm;
const withHelm = 'skipped' in found ? describe.skip : describe;

withHelm('the chart', () => {
  test.each(Object.entries(VALUES))('lints strictly with %s', (_, values) => {
    const { code, stdout, stderr } = runHelm(helm, ['lint', '--strict', CHART, ...settings(values)]);
    expect(`${stdout}${stderr}`).not.toMatch(/\[(?:WARNING|ERROR)\]/);
    expect(code).toBe(0);
  });

  test.each(Object.entries(VALUES))(
    'names every object once, in the namespace of the release, with %s',
    (_, values) => {
      const manifests = parse(render(helm, values));
      const names = manifests.map(({ kind, metadata: { namespace = '', name } }) => `${kind} ${namespace} ${name}`);
      expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
      for (const { metadata } of manifests) {
        expect(metadata.namespace ?? 'userns-audit').toBe('userns-audit');
        expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'userns-audit' });
      }
    },
  );

  test.each([
    ['agent.evidence=most', '/agent/evidence'],
    ['agent.evidance=full', "'evidance' not allowed"],
    ['agent.hostPaths.etc=sometimes', '/agent/hostPaths/etc'],
    ['agent.port=80', '/agent/port'],
    ['agent.resources.limits.memory=lots', '/agent/resources/limits/memory'],
    ['image.digest=latest', '/image/digest'],
    ['image.pullPolicy=Sometimes', '/image/pullPolicy'],
    ['controller.logLevel=loud', '/controller/logLevel'],
    ['controller.replicas=-1', '/controller/replicas'],
    ['monitoring.prometheusRule.adoptionFloor=50', '/monitoring/prometheusRule/adoptionFloor'],
    ['openshift.enabled=maybe', '/openshift/enabled'],
    ['fullnameOverride=Upper Case', '/fullnameOverride'],
  ])('refuses %s and says where', (value, place) => {
    expect(() => render(helm, [value])).toThrow(place);
  });

  test('knows every value by its schema, and has a default for everything in it', () => {
    const values = load(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Tree;
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
    const paths = schemaPaths(schema).filter((path) => path !== '/global');
    expect(paths.toSorted()).toEqual(valuePaths(values, schema).toSorted());
  });

  test('has no agent whose token is not bound to its node, unless asked', () => {
    const bindings = (values: readonly string[], kubernetes: string): Manifest[] =>
      parse(render(helm, values, ['--kube-version', kubernetes])).filter(({ kind }) => kind.startsWith('Validating'));
    expect(bindings([], '1.30.0').map(({ kind }) => kind)).toEqual([
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ]);
    expect(() => bindings([], '1.29.0')).toThrow("an agent's token can then speak for every node");
    expect(bindings(['nodeBinding.enabled=false'], '1.29.0')).toEqual([]);
  });
});

withHelm('the agent', () => {
  const agent = (...values: readonly string[]) => podOf(find(parse(render(helm, values)), 'DaemonSet'));

  test('has one capability, no host namespace, and reads the node only', () => {
    const { spec } = agent(...EVERYTHING);
    const [container] = spec.containers;
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] },
      appArmorProfile: { type: 'Unconfined' },
    });
    expect(spec.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(Object.keys(spec).filter((field) => field.startsWith('host'))).toEqual([]);
    expect(container.volumeMounts.map(({ name, readOnly }) => [name, readOnly])).toEqual(
      spec.volumes.map(({ name }) => [name, true]),
    );
    for (const { mountPath } of container.volumeMounts) expect(mountPath).toMatch(/^\/host\//);
  });

  test('has no capability with basic evidence, and runs the program that asks for none', () => {
    const [container] = agent('agent.evidence=basic').spec.containers;
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.command[0]).toBe('/usr/local/bin/node');
    expect(agent().spec.containers[0].command[0]).toBe('/usr/local/bin/node-ptrace');
  });

  test('mounts what is asked for and no more', () => {
    const paths = (...values: readonly string[]) => agent(...values).spec.volumes.map(({ hostPath }) => hostPath?.path);
    expect(paths()).toEqual(['/proc', '/etc', '/boot', '/usr/lib']);
    expect(paths(...(VALUES['no directories but /proc'] ?? []))).toEqual(['/proc']);
    expect(paths('agent.hostPaths.netns=true')).toEqual(['/proc', '/etc', '/boot', '/usr/lib', '/run/netns']);
  });

  test('is unconfined by AppArmor in the words of the cluster', () => {
    const older = podOf(
      find(parse(render(helm, ['nodeBinding.enabled=false'], ['--kube-version', '1.29.0'])), 'DaemonSet'),
    );
    expect(older.metadata.annotations).toMatchObject({
      'container.apparmor.security.beta.kubernetes.io/agent': 'unconfined',
    });
    expect(older.spec.containers[0].securityContext).not.toHaveProperty('appArmorProfile');
  });
});

withHelm('OpenShift', () => {
  test('is told by what the API server serves', () => {
    const kinds = (...more: readonly string[]) => parse(render(helm, [], more)).map(({ kind }) => kind);
    expect(kinds()).not.toContain('SecurityContextConstraints');
    expect(kinds('--api-versions', 'security.openshift.io/v1')).toContain('SecurityContextConstraints');
  });

  test('admits the agent by a constraint that grants what it has and nothing else', () => {
    const manifests = parse(render(helm, ['openshift.enabled=true']));
    const constraint = find(manifests, 'SecurityContextConstraints');
    expect(constraint).toMatchObject({
      allowPrivilegedContainer: false,
      allowedCapabilities: ['SYS_PTRACE'],
      userNamespaceLevel: 'AllowHostLevel',
      users: ['system:serviceaccount:userns-audit:userns-audit-agent'],
    });
    for (const field of ['allowHostIPC', 'allowHostNetwork', 'allowHostPID', 'allowHostPorts'])
      expect(constraint[field]).toBe(false);
    expect(podOf(find(manifests, 'DaemonSet')).metadata.annotations).toMatchObject({
      'openshift.io/required-scc': constraint.metadata.name,
    });
    expect(podOf(find(manifests, 'Deployment')).spec.securityContext).not.toHaveProperty('runAsUser');
  });

  test('grants no capability for basic evidence', () => {
    const manifests = parse(render(helm, ['openshift.enabled=true', 'agent.evidence=basic']));
    expect(find(manifests, 'SecurityContextConstraints')).toMatchObject({ allowedCapabilities: [] });
  });
});

withHelm('the command lines of the chart', () => {
  test.each(Object.entries(VALUES))('are understood by the program with %s', (_, values) => {
    const manifests = parse(render(helm, values));
    for (const kind of ['DaemonSet', 'Deployment']) {
      const [{ command, args }] = podOf(find(manifests, kind)).spec.containers;
      const own = command.slice(command.indexOf('/app/userns-audit.cjs') + 1);
      expect(() => commandLine().parse([...own, ...args], { from: 'user' })).not.toThrow();
    }
  });
});

function commandLine(): Command {
  const nothing = (): Promise<void> => Promise.resolve();
  const actions: ServiceActions = { agent: nothing, controller: nothing, serve: nothing };
  const program = new Command();
  addServiceCommands(program, actions);
  for (const command of program.commands)
    command.exitOverride().configureOutput({
      writeErr: (text) => {
        throw new Error(text);
      },
    });
  return program;
}

type Tree = Readonly<Record<string, unknown>>;

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

function schemaPaths({ properties }: Schema, prefix = ''): string[] {
  if (!properties) return [prefix];
  return Object.entries(properties).flatMap(([name, schema]) => schemaPaths(schema, `${prefix}/${name}`));
}

/** Paths of values, down to where the schema has no names any more. */
function valuePaths(values: unknown, schema: Schema | undefined, prefix = ''): string[] {
  if (!schema?.properties) return [prefix];
  return Object.entries(values as Tree).flatMap(([name, value]) =>
    valuePaths(value, schema.properties?.[name], `${prefix}/${name}`),
  );
}
