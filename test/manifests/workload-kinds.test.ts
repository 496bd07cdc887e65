import { describe, expect, test } from '@jest/globals';
import { parsePodSpecPath, readManifestText } from '../../src/manifests/index.ts';
import { readFixture } from './reader-fixtures.ts';

describe('workloads of every kind', () => {
  const { workloads, problems, documents } = readFixture('kinds.yaml');

  test('are found with their name, pod spec and places', () => {
    const rows = workloads.map((workload) => {
      const { kind, name, podSpec, containersOnly } = workload;
      const names = [...podSpec.initContainers, ...podSpec.containers].map((container) => container.name);
      const field = podSpec.hostPID === true ? 'hostPID' : podSpec.hostNetwork === true ? 'hostNetwork' : 'containers';
      const only = containersOnly === true ? ' (containers only)' : '';
      return `${kind} ${name}${only}: ${workload.fieldName([field])} [${names.join(' ')}] line ${workload.locate([field]).line}`;
    });
    expect(rows).toMatchInlineSnapshot(`
      [
        "Pod pod: spec.hostPID [] line 5",
        "PodTemplate pod-template: template.spec.hostPID [] line 10",
        "ReplicationController rc: spec.template.spec.hostPID [] line 15",
        "Deployment deployment: spec.template.spec.hostPID [] line 20",
        "Deployment old-deployment: spec.template.spec.hostPID [] line 25",
        "Deployment without-version: spec.template.spec.hostPID [] line 29",
        "ReplicaSet replica-set: spec.template.spec.hostPID [] line 34",
        "StatefulSet stateful-set: spec.template.spec.hostPID [] line 39",
        "DaemonSet daemon-set: spec.template.spec.hostPID [] line 44",
        "Job job-: spec.template.spec.hostPID [] line 49",
        "CronJob cron-job: spec.jobTemplate.spec.template.spec.hostPID [] line 54",
        "DeploymentConfig deployment-config: spec.template.spec.hostPID [] line 59",
        "Rollout rollout: spec.template.spec.hostPID [] line 64",
        "Workflow workflow/main: spec.hostNetwork [ s] line 70",
        "Workflow workflow/script: spec.hostNetwork [] line 70",
        "Workflow workflow/set: spec.hostNetwork [i x] line 70",
        "CronWorkflow cron-workflow/only: spec.workflowSpec.templates[0].containers [] line 80",
        "Service knative-service: spec.template.spec.hostPID [] line 85",
        "Configuration knative-configuration: spec.template.spec.hostPID [] line 90",
        "CloneSet clone-set: spec.template.spec.hostPID [] line 95",
        "StatefulSet advanced-stateful-set: spec.template.spec.hostPID [] line 100",
        "SidecarSet sidecar-set (containers only): spec.containers [a] line 105",
        "BroadcastJob broadcast-job: spec.template.spec.hostPID [] line 110",
        "AdvancedCronJob advanced-cron-job/broadcastJobTemplate: spec.template.broadcastJobTemplate.spec.template.spec.hostPID [] line 115",
        "Task task (containers only): spec.containers [a s] line 120",
        "TaskRun task-run (containers only): spec.podTemplate.hostNetwork [a] line 125",
        "PipelineRun pipeline-run/one (containers only): spec.taskRunTemplate.podTemplate.hostNetwork [a] line 131",
        "PipelineRun pipeline-run/last (containers only): spec.taskRunTemplate.podTemplate.hostNetwork [a] line 131",
        "PyTorchJob pytorch-job/Master: spec.pytorchReplicaSpecs.Master.template.spec.hostPID [] line 141",
        "PyTorchJob pytorch-job/Worker: spec.pytorchReplicaSpecs.Worker.template.spec.hostPID [] line 142",
        "RayCluster ray-cluster/headGroupSpec: spec.headGroupSpec.template.spec.hostPID [] line 148",
        "RayCluster ray-cluster/a: spec.workerGroupSpecs[0].template.spec.hostPID [] line 149",
        "RayService ray-service/headGroupSpec: spec.rayClusterConfig.headGroupSpec.template.spec.hostPID [] line 154",
        "InferenceService inference-service/predictor: spec.predictor.hostPID [] line 160",
        "InferenceService inference-service/transformer: spec.transformer.containers [t] line 161",
        "LeaderWorkerSet leader-worker-set/leaderTemplate: spec.leaderWorkerTemplate.leaderTemplate.spec.hostPID [] line 166",
        "LeaderWorkerSet leader-worker-set/workerTemplate: spec.leaderWorkerTemplate.workerTemplate.spec.hostPID [] line 166",
        "JobSet job-set/a: spec.replicatedJobs[0].template.spec.template.spec.hostPID [] line 171",
        "ClusterServiceVersion csv/a: spec.install.spec.deployments[0].spec.template.spec.hostPID [] line 180",
        "ClusterServiceVersion csv/b: spec.install.spec.deployments[1].spec.template.spec.hostPID [] line 181",
        "Job volcano-job/a: spec.tasks[0].template.spec.hostPID [] line 186",
        "Unknown unknown-with-containers: spec.template.spec.hostPID [a] line 191",
      ]
    `);
  });

  test('are found where parts of them stand for all: a step template, template defaults, templates of single tasks', () => {
    const text = [
      'apiVersion: tekton.dev/v1',
      'kind: Task',
      'metadata: {name: task}',
      'spec:',
      '  stepTemplate: {securityContext: {privileged: true}}',
      '  steps: [{name: a, image: b}]',
      '---',
      'apiVersion: tekton.dev/v1',
      'kind: PipelineRun',
      'metadata: {name: run}',
      'spec:',
      '  taskRunSpecs:',
      '  - {pipelineTaskName: build, podTemplate: {hostNetwork: true}}',
      '  - {pipelineTaskName: test, taskPodTemplate: {hostNetwork: true}}',
      '---',
      'apiVersion: argoproj.io/v1alpha1',
      'kind: Workflow',
      'metadata: {name: flow}',
      'spec:',
      '  templateDefaults: {container: {securityContext: {privileged: true}}}',
      '  templates: [{name: main, container: {image: a}}]',
    ].join('\n');
    const rows = readManifestText(text, 'f.yaml').workloads.map((workload) => {
      const { name, podSpec, containersOnly } = workload;
      const at = podSpec.containers.findIndex(({ securityContext }) => securityContext?.privileged === true);
      const path = podSpec.hostNetwork === true ? ['hostNetwork'] : ['containers', at, 'securityContext', 'privileged'];
      return [name, containersOnly === true, at === -1 && podSpec.hostNetwork !== true ? 0 : workload.locate(path).line];
    });
    expect(rows).toEqual([
      ['task', true, 5],
      ['run/build', true, 13],
      ['run/test', true, 14],
      ['flow/main', false, 0],
      ['flow/templateDefaults', true, 20],
    ]);
  });

  test('have the volume source that is set, not one that is null', () => {
    const text = 'kind: Pod\nspec: {volumes: [{name: a, configMap: null, nfs: {server: s, path: /}}, {name: b}]}\n';
    expect(readManifestText(text, 'f.yaml').workloads[0]?.podSpec.volumes).toMatchObject([
      { name: 'a', source: 'nfs' },
      { name: 'b', source: undefined },
    ]);
  });

  test('are none of problem', () => {
    expect(problems).toEqual([]);
    expect(documents).toBe(34);
  });
});

describe('what is no workload', () => {
  test('is read and counted', () => {
    expect(readFixture('not-workloads.yaml')).toMatchObject({ workloads: [], sccs: [], problems: [], documents: 6 });
  });
});

describe('SecurityContextConstraints', () => {
  const text =
    'apiVersion: security.openshift.io/v1\nkind: SecurityContextConstraints\nmetadata:\n  name: node\n  annotations: {a: b}\nallowHostPID: true\nallowHostNetwork: no\nuserNamespaceLevel: RequirePodLevel\n';

  test('are read with places', () => {
    const { sccs, workloads } = readManifestText(text, 'scc.yaml');
    expect(workloads).toEqual([]);
    expect(sccs).toMatchObject([
      {
        name: 'node',
        allowHostPID: true,
        allowHostNetwork: false,
        userNamespaceLevel: 'RequirePodLevel',
        annotations: { a: 'b' },
      },
    ]);
    expect(sccs[0]?.locate(['allowHostPID'])).toMatchObject({ line: 6, column: 1, endColumn: 19 });
    expect(sccs[0]?.locate(['allowHostIPC'])).toMatchObject({ line: 1, column: 1 });
    expect(sccs[0]?.locateAnnotation?.('a')).toMatchObject({ line: 5, column: 17 });
  });

  test('within a List, of a wrong type', () => {
    const { sccs, problems } = readManifestText(
      'kind: SecurityContextConstraintsList\napiVersion: v1\nitems: [{allowHostPID: "yes"}]\n',
      'f',
    );
    expect(sccs).toHaveLength(1);
    expect(problems).toMatchObject([{ kind: 'wrong-type', fatal: true, place: { line: 3, column: 10 } }]);
  });
});

describe('lists and templates', () => {
  const pods = (text: string): readonly string[] =>
    readManifestText(text, 'f.yaml').workloads.map(({ kind, name }) => `${kind} ${name}`);

  test.each([
    ['List', 'kind: List\nitems: [{kind: Pod, metadata: {name: a}, spec: {}}, {kind: ConfigMap}]', ['Pod a']],
    [
      'typed list without kinds',
      'kind: DeploymentList\napiVersion: apps/v1\nitems: [{metadata: {name: a}, spec: {template: {spec: {}}}}]',
      ['Deployment a'],
    ],
    ['list in a list', 'kind: List\nitems: [{kind: PodList, items: [{metadata: {name: a}, spec: {}}]}]', ['Pod a']],
    ['list of nothing', 'kind: List\nitems: null', []],
    ['list at the root', '- kind: Pod\n  metadata: {name: a}\n  spec: {}\n', ['Pod a']],
    [
      'OpenShift template',
      'kind: Template\napiVersion: template.openshift.io/v1\nobjects: [{kind: Pod, metadata: {name: "${N}"}, spec: {}}]',
      ['Pod ${N}'],
    ],
    [
      'old OpenShift template',
      'kind: Template\napiVersion: v1\nobjects: [{kind: Pod, metadata: {name: a}, spec: {}}]',
      ['Pod a'],
    ],
  ])('%s', (_, text, expected) => {
    expect(pods(text)).toEqual(expected);
  });

  test('whole objects within others', () => {
    const text = [
      'apiVersion: triggers.tekton.dev/v1beta1',
      'kind: TriggerTemplate',
      'spec:',
      '  resourcetemplates:',
      '  - apiVersion: batch/v1',
      '    kind: Job',
      '    metadata: {name: a}',
      '    spec: {template: {spec: {hostPID: true, hostIPC: $(tt.params.ipc)}}}',
      '---',
      'apiVersion: kubeflow.org/v1beta1',
      'kind: Experiment',
      'spec: {trialTemplate: {trialSpec: {apiVersion: batch/v1, kind: Job, metadata: {name: b}, spec: {template: {spec: {hostPID: true}}}}}}',
      '---',
      'apiVersion: work.open-cluster-management.io/v1',
      'kind: ManifestWork',
      'spec: {workload: {manifests: [{apiVersion: v1, kind: Pod, metadata: {name: c}, spec: {hostPID: true}}]}}',
    ].join('\n');
    const { workloads, problems } = readManifestText(text, 'f.yaml');
    expect(workloads.map((one) => [one.name, one.fieldName(['hostPID']), one.locate(['hostPID']).line])).toEqual([
      ['a', 'spec.template.spec.hostPID', 8],
      ['b', 'spec.template.spec.hostPID', 12],
      ['c', 'spec.hostPID', 16],
    ]);
    expect(problems).toMatchObject([{ kind: 'wrong-type', fatal: false, place: { line: 8 } }]);
  });

  test('a parameter in place of a boolean is told, and does not fail the run', () => {
    const text =
      'kind: Template\napiVersion: v1\nobjects:\n- kind: Pod\n  spec:\n    hostPID: ${{HOST_PID}}\n    hostIPC: "no"\n';
    expect(readManifestText(text, 'f.yaml').problems).toMatchObject([
      {
        kind: 'wrong-type',
        fatal: false,
        place: { line: 6, column: 5 },
        message: expect.stringContaining('${{HOST_PID}}'),
      },
      { kind: 'wrong-type', fatal: true, place: { line: 7, column: 5 } },
    ]);
  });
});

describe('--pod-spec-path', () => {
  test('reads a kind the table does not know', () => {
    const text =
      'apiVersion: x.io/v1\nkind: Fleet\nmetadata: {name: f}\nspec:\n  pods:\n  - spec: {hostPID: true}\n  - spec: {hostIPC: true}\n';
    const podSpecPaths = [parsePodSpecPath('Fleet=spec.pods[].spec')];
    const { workloads } = readManifestText(text, 'f.yaml', { podSpecPaths });
    expect(
      workloads.map((workload) => [workload.name, workload.fieldName(['hostPID']), workload.locate(['hostPID']).line]),
    ).toEqual([
      ['f/pods[0]', 'spec.pods[0].spec.hostPID', 6],
      ['f/pods[1]', 'spec.pods[1].spec.hostPID', 7],
    ]);
  });

  test('tells of an object that has nothing there', () => {
    const text = 'apiVersion: v1\nkind: Pod\n---\napiVersion: x.io/v1\nkind: Fleet\nmetadata: {name: f}\nspec: {pods: []}\n';
    const podSpecPaths = [parsePodSpecPath('Fleet=spec.pods[].spec')];
    expect(readManifestText(text, 'f.yaml', { podSpecPaths }).problems).toEqual([
      {
        kind: 'no-pod-spec',
        message:
          'Fleet is not judged: nothing stands at spec.pods.*.spec, where --pod-spec-path looks for its pod spec',
        place: { file: 'f.yaml', line: 4, column: 1, endLine: 4, endColumn: 20 },
        fatal: false,
      },
    ]);
  });

  test('looks into kinds that are otherwise only checked', () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: f}\ndata:\n  pod: {hostPID: true}\n';
    expect(readManifestText(text, 'f.yaml').workloads).toEqual([]);
    const podSpecPaths = [parsePodSpecPath('ConfigMap=data.pod')];
    expect(readManifestText(text, 'f.yaml', { podSpecPaths }).workloads).toMatchObject([
      { podSpec: { hostPID: true } },
    ]);
  });

  test.each(['MyApp', 'MyApp=', '=spec', 'myapp=spec', 'MyApp=spec..x', 'MyApp=spec.'])(
    'refuses %j and says how',
    (text) => {
      expect(() => parsePodSpecPath(text)).toThrow(/--pod-spec-path '.*' is not KIND=path: write for example/);
    },
  );
});

describe('a field of a wrong type', () => {
  test.each([
    ['hostPID: "true"', 'hostPID must be true or false, not the text "true" in quotes'],
    ['hostPID: 1', 'hostPID must be true or false, not the number 1'],
    ['hostPID: tru', 'hostPID must be true or false, not the text tru'],
    ['hostPID: [true]', 'hostPID must be true or false, not a list'],
    ['securityContext: {runAsUser: "0"}', 'runAsUser must be a whole number, not the text "0" in quotes'],
    ['securityContext: {runAsUser: 1.5}', 'runAsUser must be a whole number, not the number 1.5'],
    ['securityContext: []', 'securityContext must be a mapping, not a list'],
    ['containers: {a: b}', 'containers must be a list, not a mapping'],
    ['containers: [a]', 'containers must be a list of containers, not the text a'],
    ['containers: [{name: on}]', 'name must be a text (put it in quotes), not the boolean on'],
    ['containers: [{name: a, securityContext: {privileged: "no"}}]', 'privileged must be true or false'],
    ['containers: [{name: a, securityContext: {capabilities: {drop: ALL}}}]', 'drop must be a list, not the text ALL'],
    ['containers: [{name: a, securityContext: {capabilities: {add: [1]}}}]', 'add must be a list of texts'],
  ])('%s is left out and reported', (field, message) => {
    const { workloads, problems } = readManifestText(`kind: Pod\nspec:\n  ${field}\n`, 'f.yaml');
    expect(workloads).toHaveLength(1);
    expect(workloads[0]?.podSpec.hostPID).toBeUndefined();
    expect(problems).toMatchObject([{ kind: 'wrong-type', fatal: true, place: { file: 'f.yaml', line: 3 } }]);
    expect(problems[0]?.message).toContain(message);
  });

  test.each([
    ['hostPID: null', {}],
    ['hostPID:', {}],
    ['hostPID: ~', {}],
    ['hostPID: !!bool "on"', { hostPID: true }],
    [
      'securityContext: {runAsUser: 1e3, runAsGroup: 0o17, fsGroup: 0x10}',
      { securityContext: { runAsUser: 1000, runAsGroup: 15, fsGroup: 16 } },
    ],
    ['os: {name: windows}', { osName: 'windows' }],
    ['securityContext: {supplementalGroups: [1, 2]}', { securityContext: { supplementalGroups: [1, 2] } }],
    [
      'volumes: [{name: a, nfs: {server: x}}, {csi: {driver: d}, name: b}, {name: c}]',
      {
        volumes: [
          { name: 'a', source: 'nfs' },
          { name: 'b', source: 'csi', driver: 'd' },
          { name: 'c', source: undefined },
        ],
      },
    ],
    ['containers: [{name: a, volumeDevices: [{name: x}]}]', { containers: [{ name: 'a', volumeDevices: [{}] }] }],
  ])('%s is none', (field, expected) => {
    const { workloads, problems } = readManifestText(`kind: Pod\nspec:\n  ${field}\n`, 'f.yaml');
    expect(problems).toEqual([]);
    expect(workloads[0]?.podSpec).toEqual({
      initContainers: [],
      containers: [],
      ephemeralContainers: [],
      volumes: [],
      ...expected,
    });
  });
});
