/**
 * Where kinds keep pod specs: by API group, kind, and dotted paths from the object. `*` steps into
 * every element of a list or every value of a mapping.
 */
type KindTable = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

const TEMPLATE = ['spec.template.spec'];
const JOB_TEMPLATE = 'spec.jobTemplate.spec.template.spec';
const replicas = (name: string): readonly string[] => [`spec.${name}.*.template.spec`];
const rayCluster = (prefix: string): readonly string[] => [
  `${prefix}.headGroupSpec.template.spec`,
  `${prefix}.workerGroupSpecs.*.template.spec`,
];

const KINDS: KindTable = {
  '': {
    Pod: ['spec'],
    PodTemplate: ['template.spec'],
    ReplicationController: TEMPLATE,
    DeploymentConfig: TEMPLATE,
  },
  apps: { Deployment: TEMPLATE, ReplicaSet: TEMPLATE, StatefulSet: TEMPLATE, DaemonSet: TEMPLATE },
  extensions: { Deployment: TEMPLATE, ReplicaSet: TEMPLATE, DaemonSet: TEMPLATE },
  batch: {
    Job: TEMPLATE,
    CronJob: [JOB_TEMPLATE],
    ScheduledJob: [JOB_TEMPLATE],
    JobTemplate: ['template.spec.template.spec'],
  },
  'apps.openshift.io': { DeploymentConfig: TEMPLATE },
  'argoproj.io': {
    Rollout: TEMPLATE,
    Experiment: ['spec.templates.*.template.spec'],
    AnalysisTemplate: ['spec.metrics.*.provider.job.spec.template.spec'],
    ClusterAnalysisTemplate: ['spec.metrics.*.provider.job.spec.template.spec'],
    AnalysisRun: ['spec.metrics.*.provider.job.spec.template.spec'],
  },
  'serving.knative.dev': { Service: TEMPLATE, Configuration: TEMPLATE, Revision: ['spec'] },
  'apps.kruise.io': {
    CloneSet: TEMPLATE,
    StatefulSet: TEMPLATE,
    DaemonSet: TEMPLATE,
    BroadcastJob: TEMPLATE,
    AdvancedCronJob: [
      'spec.template.jobTemplate.spec.template.spec',
      'spec.template.broadcastJobTemplate.spec.template.spec',
    ],
    UnitedDeployment: [
      'spec.template.statefulSetTemplate.spec.template.spec',
      'spec.template.advancedStatefulSetTemplate.spec.template.spec',
      'spec.template.cloneSetTemplate.spec.template.spec',
      'spec.template.deploymentTemplate.spec.template.spec',
    ],
  },
  'kubeflow.org': {
    TFJob: replicas('tfReplicaSpecs'),
    PyTorchJob: replicas('pytorchReplicaSpecs'),
    MPIJob: replicas('mpiReplicaSpecs'),
    XGBoostJob: replicas('xgbReplicaSpecs'),
    MXJob: replicas('mxReplicaSpecs'),
    PaddleJob: replicas('paddleReplicaSpecs'),
    JAXJob: replicas('jaxReplicaSpecs'),
    Notebook: TEMPLATE,
  },
  'trainer.kubeflow.org': {
    TrainingRuntime: ['spec.template.spec.replicatedJobs.*.template.spec.template.spec'],
    ClusterTrainingRuntime: ['spec.template.spec.replicatedJobs.*.template.spec.template.spec'],
  },
  'ray.io': {
    RayCluster: rayCluster('spec'),
    RayJob: [...rayCluster('spec.rayClusterSpec'), 'spec.submitterPodTemplate.spec'],
    RayService: rayCluster('spec.rayClusterConfig'),
  },
  'serving.kserve.io': {
    InferenceService: ['spec.predictor', 'spec.predictor.workerSpec', 'spec.transformer', 'spec.explainer'],
    ServingRuntime: ['spec', 'spec.workerSpec'],
    ClusterServingRuntime: ['spec', 'spec.workerSpec'],
    LLMInferenceService: ['spec.template', 'spec.worker', 'spec.prefill.template', 'spec.prefill.worker'],
  },
  'leaderworkerset.x-k8s.io': {
    LeaderWorkerSet: ['spec.leaderWorkerTemplate.leaderTemplate.spec', 'spec.leaderWorkerTemplate.workerTemplate.spec'],
  },
  'jobset.x-k8s.io': { JobSet: ['spec.replicatedJobs.*.template.spec.template.spec'] },
  'operators.coreos.com': { ClusterServiceVersion: ['spec.install.spec.deployments.*.spec.template.spec'] },
  'batch.volcano.sh': { Job: ['spec.tasks.*.template.spec'] },
  'sparkoperator.k8s.io': { SparkApplication: ['spec.driver.template.spec', 'spec.executor.template.spec'] },
  'keda.sh': { ScaledJob: ['spec.jobTargetRef.template.spec'] },
  'actions.github.com': { AutoscalingRunnerSet: ['spec.template.spec', 'spec.listenerTemplate.spec'] },
  'agones.dev': { GameServer: TEMPLATE, Fleet: ['spec.template.spec.template.spec'] },
  'elasticsearch.k8s.elastic.co': { Elasticsearch: ['spec.nodeSets.*.podTemplate.spec'] },
  'beat.k8s.elastic.co': { Beat: ['spec.daemonSet.podTemplate.spec', 'spec.deployment.podTemplate.spec'] },
  'agent.k8s.elastic.co': {
    Agent: ['spec.daemonSet.podTemplate.spec', 'spec.deployment.podTemplate.spec', 'spec.statefulSet.podTemplate.spec'],
  },
  'pkg.crossplane.io': { DeploymentRuntimeConfig: ['spec.deploymentTemplate.spec.template.spec'] },
};

/** Groups whose objects speak of pods without making any, and so are not searched for a pod template. */
const WITHOUT_PODS = [
  'policy',
  'apiextensions.k8s.io',
  'admissionregistration.k8s.io',
  'kyverno.io',
  'policies.kyverno.io',
  'templates.gatekeeper.sh',
  'constraints.gatekeeper.sh',
  'config.gatekeeper.sh',
  'security.openshift.io',
  'userns-audit.dev',
];

/** What an object of an unknown kind is taken for when a list of containers stands there. */
const USUAL_PATHS = ['spec.template.spec', JOB_TEMPLATE, 'spec.podTemplate.spec'];

/** Where a kind keeps its pod specs. `certain`: by the kind alone; else only where there is a list of containers. */
export interface PodSpecPaths {
  readonly certain: boolean;
  readonly paths: readonly string[];
}

/** `group` is empty for the core group and for an object whose apiVersion was forgotten: it is judged all the same. */
export function podSpecPathsOf(group: string, kind: string): PodSpecPaths {
  const known = lookUp(group, kind) ?? (group === '' ? (lookUp('apps', kind) ?? lookUp('batch', kind)) : undefined);
  if (known !== undefined) return { certain: true, paths: known };
  if (group === '' || WITHOUT_PODS.includes(group)) return { certain: false, paths: [] };
  return { certain: false, paths: USUAL_PATHS };
}

function lookUp(group: string, kind: string): readonly string[] | undefined {
  const kinds = Object.hasOwn(KINDS, group) ? KINDS[group] : undefined;
  return kinds !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
}
