import type { Static } from 'typebox';
import { EVIDENCE_ACCEPTED } from './condition.ts';
import { MAX_EVIDENCE, MAX_NODE_VERDICTS, MAX_PODS_PER_GROUP, MAX_POD_GROUPS, MAX_UNMANAGED } from './limits.ts';
import {
  conditions,
  count,
  listOf,
  object,
  oneOf,
  optional,
  replaced,
  type ResourceDefinition,
  text,
  time,
} from './schema.ts';

const VECTOR = {
  pattern: '^[U?-][p?-][n?-][i?-][u?-][m?-][C?-][T?-]$',
};

const VECTOR_MEANING =
  "The namespaces by the option letters of unshare(1) (user, pid, net, ipc, uts, mount, Cgroup, Time): a letter for one of its own, - for the host's, ? where unknown.";

const evidence = object('One thing that was read, and where.', {
  source: text('Path on the node.', 512),
  value: text('What it says.', 1024),
});

const verdict = object('What one rule says of the node.', {
  rule: text('Id of the rule.', 63),
  severity: optional(
    oneOf('How bad it is, where it fails or is unknown.', ['critical', 'high', 'medium', 'low', 'info']),
  ),
  status: oneOf('unknown is an answer and never counted as pass.', ['pass', 'fail', 'unknown', 'not-applicable']),
  message: optional(text('What is so, in one sentence; none of a rule that does not apply to this node.', 1024)),
  evidence: optional(
    listOf(
      'What it was judged by, where it does not pass; `userns-audit node` on the node shows the rest.',
      evidence,
      MAX_EVIDENCE,
    ),
  ),
  fix: optional(text('What to do on this node.', 2048)),
});

const podGroup = object('Pods whose containers stand alike to the host.', {
  namespaces: text(`${VECTOR_MEANING} Of several containers the least isolated counts, type by type.`, 8, VECTOR),
  sandbox: optional(oneOf('A kernel of its own lies between these pods and the host.', ['gvisor', 'kata'])),
  pods: listOf(
    'One text a pod: its uid as its cgroup has it (of a static pod the annotation kubernetes.io/config.hash of its mirror pod); in a private user namespace followed by its uid_map, "inside outside length", several joined by commas, then "gid" and the gid_map where that differs; of the maps a kubelet makes, "0 START 65536" for both, START alone. Where containers of one pod have different maps, the lines of all of them.',
    text('uid, or uid and maps.', 512, {
      pattern: '^[0-9a-f-]{32,36}( [0-9]+| [0-9]+ [0-9]+ [0-9]+(, [0-9]+ [0-9]+ [0-9]+)*( gid .*)?)?$',
    }),
    MAX_PODS_PER_GROUP,
  ),
});

const unmanaged = object('A container that no kubelet started, in a namespace of the host.', {
  id: text('Its id, or its name in the cgroup tree.', 128),
  name: optional(text('The name its engine gave it.', 256)),
  runtime: text('What runs it.', 32),
  namespaces: text(VECTOR_MEANING, 8, VECTOR),
  status: oneOf('Whether it shares namespaces with the host.', ['pass', 'fail', 'unknown', 'not-applicable']),
  message: text('What is so, in one sentence.', 1024),
});

export const nodeAuditStatus = object('What the agent on this node has read and found.', {
  observedTime: optional(time('When the agent last found something changed.')),
  lastHeartbeatTime: optional(time('When the agent last said that it is alive and that nothing else has changed.')),
  agent: optional(
    replaced('Who looked, and how much it can see.', {
      version: text('Version of the agent.', 64),
      evidence: oneOf(
        'full: every namespace of every container. basic: user and PID namespaces and the identity of network namespaces. none: blind.',
        ['full', 'basic', 'none'],
      ),
      reasons: optional(
        listOf('What it can not see, found by testing its own sight.', text('One sentence.', 1024), 16),
      ),
    }),
  ),
  system: optional(
    replaced('The node as its own files show it.', {
      osImage: optional(text('Name and version of the distribution.', 256)),
      kernelRelease: optional(text('Release of the running kernel.', 128)),
      userNamespaces: optional(
        oneOf('CONFIG_USER_NS of the kernel config: y, m, not-set, absent from a full config, or unknown.', [
          'y',
          'm',
          'not-set',
          'absent',
          'unknown',
        ]),
      ),
      maxUserNamespaces: optional(count('The sysctl user.max_user_namespaces.')),
      engine: oneOf('What runs containers here.', ['Kubernetes', 'Docker', 'none']),
      runtime: optional(text('Name and version of the container runtime.', 128)),
      kubeletVersion: optional(text('Version of the kubelet.', 64)),
      idsPerPod: optional(count('Ids the kubelet gives each pod with a user namespace.')),
    }),
  ),
  readiness: optional(
    replaced('Whether private user namespaces can be run on this node.', {
      status: oneOf('Unknown is neither of the others.', ['Ready', 'NotReady', 'Unknown']),
      reasons: listOf('Ids of the rules that decided; empty when ready.', text('Id of a rule.', 63), MAX_NODE_VERDICTS),
    }),
  ),
  totals: optional(
    replaced('What was seen, counted before any list was cut.', {
      containers: count('Running containers.'),
      pods: count('Pods with a running container.'),
      privatePods: count('Pods in a user namespace of their own.'),
      hostPods: count("Pods in the host's user namespace."),
      unknownPods: count('Pods whose user namespace could not be seen, or that run in a sandbox.'),
      unmanagedContainers: count('Running containers that no kubelet started.'),
    }),
  ),
  rules: optional(listOf('What every rule over nodes says of this one.', verdict, MAX_NODE_VERDICTS)),
  podGroups: optional(listOf('The namespaces every pod is really in, grouped.', podGroup, MAX_POD_GROUPS)),
  unmanaged: optional(
    listOf('Containers outside Kubernetes, those that share namespaces with the host first.', unmanaged, MAX_UNMANAGED),
  ),
  conditions: optional(
    conditions(
      'UserNamespacesReady, EvidenceComplete and, where a list was cut, Truncated are written by the agent, EvidenceAccepted by the controller.',
      EVIDENCE_ACCEPTED,
    ),
  ),
});

export type NodeAuditStatus = Static<typeof nodeAuditStatus>;
export type NodeAuditVerdict = Static<typeof verdict>;
export type PodGroup = Static<typeof podGroup>;
export type UnmanagedContainer = Static<typeof unmanaged>;

export const nodeAudit: ResourceDefinition = {
  kind: 'NodeAudit',
  plural: 'nodeaudits',
  singular: 'nodeaudit',
  shortNames: ['nau'],
  scope: 'Cluster',
  description:
    'NodeAudit tells of one node whether it can run pods in user namespaces of their own, and in which namespaces every pod on it really is. It bears the name of the node, belongs to it, and its status is written by the agent on that node alone.',
  status: nodeAuditStatus,
  columns: [
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.readiness.status',
      description: 'Whether private user namespaces can be run on this node.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.readiness.reasons[0]',
      description: 'The rule that weighs most against it.',
    },
    { name: 'Pods', type: 'integer', jsonPath: '.status.totals.pods', description: 'Pods seen.' },
    {
      name: 'Private',
      type: 'integer',
      jsonPath: '.status.totals.privatePods',
      description: 'Pods in a user namespace of their own.',
    },
    {
      name: 'Evidence',
      type: 'string',
      jsonPath: '.status.agent.evidence',
      description: 'How much the agent can see.',
    },
    {
      name: 'Seen',
      type: 'date',
      jsonPath: '.status.lastHeartbeatTime',
      description: 'When the agent was last heard of.',
    },
    {
      name: 'Kernel',
      type: 'string',
      jsonPath: '.status.system.kernelRelease',
      description: 'Kernel release.',
      priority: 1,
    },
    {
      name: 'Runtime',
      type: 'string',
      jsonPath: '.status.system.runtime',
      description: 'Container runtime.',
      priority: 1,
    },
    {
      name: 'Kubelet',
      type: 'string',
      jsonPath: '.status.system.kubeletVersion',
      description: 'Kubelet.',
      priority: 1,
    },
  ],
};
