// Every line people are told to run is run: here those of helm and kubectl, on a real API server; the others by the tests that
// test/support/documentation.ts names. A line that nobody runs has to be listed below, with the reason.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSkipped, requireControlPlane } from '../control-plane/control-plane.ts';
import { requireHelm } from '../helm/helm.ts';
import {
  commandsOf,
  type DocumentedCommand,
  DOCUMENTS,
  inlineCommandsOf,
  MACHINE_COMMAND,
  REPOSITORY_COMMAND,
  REPOSITORY_DOCUMENTS,
} from '../support/documentation.ts';
import { until } from '../support/until.ts';
import {
  APPLICATIONS,
  type DocumentationCluster,
  type Finished,
  NODE,
  POD,
  startDocumentationCluster,
} from './documentation-cluster.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Lines that can not be run here, by the reason. */
const NOT_RUN: Readonly<Record<string, readonly string[]>> = {
  'needs a Docker engine; what the image runs with these rights is tested in test/image by runc': [
    'docker run --rm --cap-drop ALL --cap-add SYS_PTRACE --security-opt apparmor=unconfined --userns host --read-only -v /proc:/host/proc:ro -v /etc:/host/etc:ro -v /boot:/host/boot:ro --entrypoint /usr/local/bin/node-ptrace userns-audit /app/userns-audit.cjs node --host-root /host',
  ],
  'needs a Docker engine': [
    "docker info --format '{{.SecurityOptions}}'",
    "docker inspect --format '{{json .HostConfig}}' ID",
    'docker rm --force ID',
  ],
  'needs a Docker engine or podman, and is no whole command': ['docker run …', 'podman run --userns=auto …'],
  'is the content of a file': ['{ "userns-remap": "default" }'],
  'needs OpenShift': ['oc adm policy add-scc-to-user hostnetwork-v2 -z agent -n infra'],
  'asks for programs a machine may lack, or for a process of its own': [
    'containerd --version',
    'runc --version',
    'lsns --task PID',
    'grep -Hn . /etc/subuid /etc/subgid',
  ],
  'changes the machine': [
    'systemctl restart docker',
    'systemctl restart kubelet',
    'apt-get install containerd.io && systemctl restart containerd',
    'apt-get install --install-recommends linux-generic-hwe-22.04 && reboot',
    'apt-get install -t bookworm-backports linux-image-amd64 && reboot',
    'apt-get install uidmap || dnf install shadow-utils-subid',
    'useradd --system --no-create-home --shell /usr/sbin/nologin kubelet',
    "sed -i '/^kubelet:/d' /etc/subuid /etc/subgid",
    'echo kubelet:65536:7208960 | tee -a /etc/subuid /etc/subgid',
    "echo 'user.max_user_namespaces = 15076' > /etc/sysctl.d/99-user-namespaces.conf && sysctl --system",
  ],
  'changes a machine with RHEL 7': [
    'yum update kernel && reboot',
    'grubby --update-kernel=ALL --args="user_namespace.enable=1" && reboot',
    'grubby --update-kernel=ALL --remove-args="user_namespace.enable=1" --args="namespace.unpriv_enable=1" && reboot',
  ],
};
const listed = new Set(Object.values(NOT_RUN).flat());

/** Commands in the text that are a name and nothing to run as they stand. */
const NAMES = new Set([
  ...['kubectl apply -k', 'kubectl patch --patch-file', 'kubectl kustomize', 'helm template', 'helm upgrade'],
  // Tested with a release (test/release).
  'kubectl userns-audit',
  // Runs in a test of all manifests (test/chart/manifests.test.ts).
  'kubectl delete -k manifests/kubernetes',
]);

/** What asks a node for the output of a container. No node runs, so what is proven is that its pods are found. */
const ASKS_A_NODE = 'kubectl logs ';

/** What may print nothing. */
const MAY_BE_SILENT = [
  // Pods of the agent are there, and on no node.
  'kubectl get pods -l app.kubernetes.io/component=agent -A -o wide --field-selector spec.nodeName=NODE',
  // A policy without floors.
  "kubectl get auditpolicy cluster -o jsonpath='{.spec.floors}'",
];

/** Where a page goes on from: a cluster with nothing of ours unless it is here. */
const INSTALLED = /^docs\/(?:operations\.md|report\.md|operator\.md|resources\.md|runbooks\/.*)$/;

/** Pages that tell of alternatives: each section begins anew. */
const ALTERNATIVES = new Set(['docs/install.md']);

/** Generated from the prose, which is run. */
const GENERATED = /^docs\/rules\/[^/]+\.md$/;

/** Pages that only look can share a cluster. */
const LOOKS = /^docs\/(?:report\.md|operator\.md|resources\.md|runbooks\/.*)$/;

const OURS = /^(?:kubectl|helm) /;
const runsHere = ({ command }: DocumentedCommand): boolean => OURS.test(command) && !listed.has(command);

function runsElsewhere({ file, command }: DocumentedCommand): boolean {
  if (MACHINE_COMMAND.test(command)) return true;
  if (file === 'docs/report.md' && command.startsWith('userns-audit report ')) return true;
  return REPOSITORY_COMMAND.test(command) && (REPOSITORY_DOCUMENTS.includes(file) || file.startsWith('docs/runbooks/'));
}

const documents = DOCUMENTS.filter((file) => !GENERATED.test(file));
const all = documents.flatMap(commandsOf);

test('every line of the documentation is run, or listed with the reason', () => {
  const left = all.filter((one) => !runsHere(one) && !runsElsewhere(one) && !listed.has(one.command));
  expect(left.map(({ file, command }) => `${file}: ${command}`)).toEqual([]);
});

test('what is listed is still told', () => {
  const told = new Set(all.map(({ command }) => command));
  expect([...listed].filter((command) => !told.has(command))).toEqual([]);
});

const inline = documents.flatMap((file) => inlineCommandsOf(file, 'kubectl', 'helm')).filter((one) => !NAMES.has(one));

const programs = requireControlPlane();
const found = requireHelm();
const reason = isSkipped(programs) ? programs.skipped : 'skipped' in found ? found.skipped : undefined;
if (reason !== undefined) console.warn(`skipped: ${reason}`);

/** A cluster of its own for each of these, and their commands one after the other. */
interface Session {
  readonly title: string;
  readonly installed: boolean;
  readonly commands: readonly string[];
  readonly tables: readonly Table[];
}

/** `$ kubectl …` in a page, with the heading of the table that follows. */
type Table = readonly [command: string, heading: string];

function tablesOf(file: string): readonly Table[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/^\$ (kubectl .*)\n(.*)$/gm)].map(([, command = '', heading = '']) => [command, heading]);
}

function titleOf({ file, section }: DocumentedCommand): string {
  if (file.startsWith('docs/rules/')) return 'the fixes of rules';
  return ALTERNATIVES.has(file) ? `${file}, ${section}` : file;
}

function sessions(): readonly Session[] {
  const mine = all.filter(runsHere);
  const looks = mine.filter(({ file }) => LOOKS.test(file)).map(({ command }) => command);
  const others = mine.filter(({ file }) => !LOOKS.test(file));
  const titles = new Map<string, DocumentedCommand[]>();
  for (const one of others) {
    const title = titleOf(one);
    titles.set(title, [...(titles.get(title) ?? []), one]);
  }
  return [
    {
      title: 'pages that look at a cluster',
      installed: true,
      commands: [...new Set([...looks, ...inline])],
      tables: documents.flatMap(tablesOf),
    },
    ...[...titles].map(([title, told]) => ({
      title,
      installed: INSTALLED.test(told[0]?.file ?? ''),
      commands: told.map(({ command }) => command),
      tables: [],
    })),
  ];
}

function here(command: string): string {
  return command
    .replaceAll(/\bNODE\b/g, NODE)
    .replaceAll(/\bNAMESPACE\b/g, APPLICATIONS)
    .replaceAll(/\bNAME\b/g, POD);
}

const INSTALLS = /^(?:helm (?:install|upgrade)|kubectl apply .*-k) /;

(reason === undefined ? describe : describe.skip).each(sessions())('$title', ({ commands, installed, tables }) => {
  let cluster: DocumentationCluster | undefined;

  const run = (command: string): Finished => {
    if (!cluster) throw new Error('the cluster is not started');
    return cluster.run(here(command));
  };

  /** Whoever looks right after an installation may have to look again. */
  const look = async (command: string): Promise<Finished> => {
    let last = run(command);
    const done = ({ code, stdout }: Finished): boolean =>
      code === 0 && (stdout.trim() !== '' || MAY_BE_SILENT.includes(command));
    await until('an answer', () => (done((last = run(command))) ? true : undefined), 20_000).catch(() => undefined);
    return last;
  };

  beforeAll(async () => {
    if (isSkipped(programs) || 'skipped' in found) return;
    cluster = await startDocumentationCluster(programs, found.helm);
    await cluster.api.kubectl('apply', '--server-side', '-f', join(ROOT, 'test/chart/foreign-crds.yaml'));
    await cluster.api.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
    if (!installed) return;
    const install = 'helm install userns-audit charts/userns-audit --namespace userns-audit --create-namespace';
    expect(run(install)).toMatchObject({ code: 0 });
    await cluster.startOperator();
  });

  afterAll(async () => {
    await cluster?.stop();
  });

  if (tables.length > 0)
    test.each(tables)('%s prints %s', async (command, heading) => {
      const { stdout } = await look(command);
      expect(stdout.split('\n')[0]?.trim().split(/\s+/)).toEqual(heading.trim().split(/\s+/));
    });

  test.each(commands)('%s', async (command) => {
    if (command.startsWith(ASKS_A_NODE)) {
      await until('its pods', () => (run(command).stderr === '' ? true : undefined), 20_000);
      return;
    }
    const { code, stdout, stderr } = /^kubectl (?:get|describe|explain) /.test(command)
      ? await look(command)
      : run(command);
    expect({ code, error: /^error.*/im.exec(stderr)?.[0] }).toEqual({ code: 0 });
    if (!MAY_BE_SILENT.includes(command)) expect(stdout.trim()).not.toBe('');
    if (INSTALLS.test(command)) await cluster?.startOperator();
  });
});
