// The README of the chart: its values with their defaults and comments.
import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

const CHART = new URL('../charts/userns-audit/', import.meta.url);
const MARK = '-- ';

const INTRO = `userns-audit tells of every node whether it can run pods in user namespaces of their own, of every pod whether it really does, and
of every workload what keeps it from it. The chart installs an agent on every node (DaemonSet), a controller (Deployment, two replicas of
which one leads), the custom resources, and the rights of both.

\`\`\`sh
helm install userns-audit charts/userns-audit --namespace userns-audit --create-namespace
kubectl label namespace userns-audit pod-security.kubernetes.io/enforce=privileged --overwrite
\`\`\`

The second line is needed where Pod Security is enforced for new namespaces: the agent mounts directories of its node, read-only, which no
level but \`privileged\` admits. What agent and controller may do, and why, is told in docs/security.md; sizes, updates and removal in
docs/operations.md; OpenShift in docs/openshift.md.

Custom resource definitions are installed with the first release and left alone by Helm afterwards. Before an update apply those of the
new chart:

\`\`\`sh
helm show crds charts/userns-audit | kubectl apply --server-side -f -
helm upgrade userns-audit charts/userns-audit --namespace userns-audit
\`\`\``;

/** @throws Error where a value has no comment */
export function renderChartReadme(note: string): string {
  const { contents } = parseDocument(readFileSync(new URL('values.yaml', CHART), 'utf8'));
  if (!isMap(contents)) throw new Error('values.yaml is no mapping');
  const rows = valueRows(contents as YAMLMap, '').map(
    ([path, value, meaning]) => `| \`${path}\` | \`${value}\` | ${meaning.replaceAll('|', '\\|')} |`,
  );
  const values = ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n');
  return `# userns-audit\n\n${note}\n\n${INTRO}\n\n## Values\n\n${values}\n`;
}

type Row = readonly [path: string, value: string, meaning: string];

/** A value with a comment is a row, whatever it holds; one without it holds values that have. */
function valueRows(map: YAMLMap, prefix: string): readonly Row[] {
  return map.items.flatMap((pair, index) => {
    const { key, value } = pair;
    if (!isScalar(key)) return [];
    const path = `${prefix}${String(key.value)}`;
    // The comment before the first key of a mapping belongs to the mapping.
    const comment = index === 0 ? (key.commentBefore ?? map.commentBefore) : key.commentBefore;
    const meaning = describe(comment);
    if (meaning !== undefined) return [[path, JSON.stringify(toPlain(value)), meaning] as const];
    if (!isMap(value)) throw new Error(`values.yaml: ${path} has no comment that begins with "# --"`);
    return valueRows(value, `${path}.`);
  });
}

/** The last part of a comment that is meant for readers. */
function describe(comment: string | null | undefined): string | undefined {
  const line = (comment ?? '').split('\n').findLast((one) => one.trim().startsWith(MARK));
  return line?.trim().slice(MARK.length);
}

function toPlain(value: unknown): unknown {
  return isMap(value) || isScalar(value) || (typeof value === 'object' && value !== null && 'toJSON' in value)
    ? (value as { toJSON(): unknown }).toJSON()
    : value;
}
