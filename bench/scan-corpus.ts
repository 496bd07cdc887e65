// A repository of manifests as platform teams keep them: half of the bytes are CRDs, then ConfigMaps, RBAC, Services, workloads.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Shares of the bytes, in percent. */
const MIX = { crd: 50, configMap: 20, rbac: 8, service: 7, workload: 15 } as const;

export interface Corpus {
  readonly bytes: number;
  readonly files: number;
  readonly documents: number;
  readonly workloads: number;
}

/** Mulberry32: the same corpus on every machine. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const WORDS =
  'the of a controller which reconciles desired state with observed resources in namespace selector pods secret reference optional defaults must be set when field is immutable and ignored otherwise list of conditions volume claim retention policy certificate issuer'.split(
    ' ',
  );
const TYPES = ['string', 'integer', 'boolean', 'array', 'object'] as const;

type Random = () => number;

function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

function prose(random: Random, length: number): string {
  return Array.from({ length }, () => WORDS[Math.floor(random() * WORDS.length)] ?? '').join(' ');
}

function word(random: Random): string {
  return `${pick(random, ['app', 'db', 'cache', 'queue', 'ingress', 'agent', 'web', 'api'])}-${Math.floor(random() * 1e6).toString(36)}`;
}

/** Properties of an openAPIV3Schema, nested as controller-gen writes them. */
function schema(random: Random, depth: number, indent: string): string {
  return Array.from({ length: 4 + Math.floor(random() * 5) }, (_, index) => {
    const type = depth === 0 ? pick(random, ['string', 'integer', 'boolean']) : pick(random, TYPES);
    const head = `${indent}field${index}${word(random).replace('-', '')}:\n${indent}  description: |-\n${indent}    ${prose(random, 14)}\n${indent}    ${prose(random, 10)}\n`;
    if (type === 'object')
      return `${head}${indent}  properties:\n${schema(random, depth - 1, `${indent}    `)}${indent}  type: object\n`;
    if (type === 'array')
      return `${head}${indent}  items:\n${indent}    properties:\n${schema(random, depth - 1, `${indent}      `)}${indent}    type: object\n${indent}  type: array\n`;
    return `${head}${indent}  type: ${type}\n`;
  }).join('');
}

function crd(random: Random): string {
  const name = word(random).replace('-', '');
  const versions = ['v1', 'v1beta1'].map(
    (version) =>
      `  - name: ${version}\n    served: true\n    storage: ${version === 'v1'}\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            properties:\n${schema(random, 4, '              ')}`,
  );
  return `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  annotations:\n    controller-gen.kubebuilder.io/version: v0.18.0\n  name: ${name}s.example.com\nspec:\n  group: example.com\n  names:\n    kind: ${name}\n    plural: ${name}s\n  scope: Namespaced\n  versions:\n${versions.join('')}`;
}

function configMap(random: Random): string {
  const script = Array.from({ length: 60 }, () => `    ${prose(random, 9)}`).join('\n');
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${word(random)}\n  namespace: ${word(random)}\ndata:\n  config.yaml: |\n    kind: Deployment\n    spec:\n      template:\n        spec:\n          hostPID: true\n${script}\n  level: "info"\n`;
}

function rbac(random: Random): string {
  const rules = Array.from(
    { length: 12 },
    () =>
      `- apiGroups:\n  - ${word(random)}.example.com\n  resources:\n  - ${word(random)}\n  - ${word(random)}/status\n  verbs: ["get", "list", "watch", "patch"]\n`,
  ).join('');
  return `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: ${word(random)}\nrules:\n${rules}`;
}

function service(random: Random): string {
  const name = word(random);
  return `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n  labels:\n    app.kubernetes.io/name: ${name}\nspec:\n  selector:\n    app.kubernetes.io/name: ${name}\n  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n`;
}

function workload(random: Random): string {
  const name = word(random);
  const kind = pick(random, ['Deployment', 'Deployment', 'Deployment', 'StatefulSet', 'DaemonSet']);
  const host = random() < 0.05 ? '      hostPID: true\n      hostNetwork: true\n' : '';
  const users = random() < 0.1 && host === '' ? '      hostUsers: false\n' : '';
  const environment = Array.from(
    { length: 14 },
    (_, index) => `        - name: VARIABLE_${index}\n          value: "${word(random)}"\n`,
  ).join('');
  return `apiVersion: apps/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: ${word(random)}\n  labels:\n    app.kubernetes.io/name: ${name}\nspec:\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: ${name}\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: ${name}\n    spec:\n${host}${users}      serviceAccountName: ${name}\n      containers:\n      - name: main\n        image: registry.example.com/${name}:1.2.3\n        args: ["--config=/etc/config.yaml", "--leader-elect"]\n        securityContext:\n          runAsNonRoot: true\n          allowPrivilegeEscalation: false\n          capabilities:\n            drop: ["ALL"]\n        env:\n${environment}        resources:\n          requests: {cpu: 100m, memory: 128Mi}\n        volumeMounts:\n        - name: data\n          mountPath: /data\n      volumes:\n      - name: data\n        emptyDir: {}\n`;
}

const MAKERS = { crd, configMap, rbac, service, workload } as const;

/** Writes about `megabytes` of manifests below a directory, in files of at most some hundred documents. */
export function writeCorpus(directory: string, megabytes: number): Corpus {
  const random = createRandom(42);
  const totals = { bytes: 0, files: 0, documents: 0, workloads: 0 };
  for (const [kind, share] of Object.entries(MIX) as [keyof typeof MIX, number][]) {
    const goal = totals.bytes + megabytes * 1_000_000 * (share / 100);
    for (let index = 0; totals.bytes < goal; index++) {
      const documents: string[] = [];
      for (let size = 0; size < 250_000 && documents.length < 200 && totals.bytes + size < goal;) {
        const document = MAKERS[kind](random);
        documents.push(document);
        size += document.length;
      }
      const text = documents.join('---\n');
      const path = join(directory, `team-${index % 9}`, kind, `manifests-${index}.yaml`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      totals.bytes += text.length;
      totals.files += 1;
      totals.documents += documents.length;
      if (kind === 'workload') totals.workloads += documents.length;
    }
  }
  return totals;
}
