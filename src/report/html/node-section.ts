import type { ClusterOverview } from '../cluster-overview.ts';
import type { NodeKind } from '../node-kinds.ts';
import { type Html, markup, NOTHING } from './html.ts';
import { cell, counted, number, searchField, section, table, tag, type Tone, withinBytes } from './parts.ts';

const MAX_BYTES = 260_000;

/** What a rule says, as a sign and as a word for who does not see the sign. */
const SIGNS = {
  pass: { sign: '✓', tone: 'good' },
  fail: { sign: '✗', tone: 'bad' },
  unknown: { sign: '?', tone: 'doubt' },
  'not-applicable': { sign: '–', tone: 'dim' },
} as const;

const READINESS: Readonly<Record<NodeKind['verdict']['readiness'], readonly [string, Tone]>> = {
  Ready: ['ready', 'good'],
  NotReady: ['not ready', 'bad'],
  Unknown: ['unknown', 'doubt'],
};

/** Nodes that are alike in a line: their system and what every rule says of them. */
export function renderNodes({ nodeKinds, nodes }: ClusterOverview): Html {
  if (nodeKinds.length === 0) return NOTHING;
  const rules = [...new Set(nodeKinds.flatMap((kind) => [...kind.rules.keys()]))].toSorted();
  const { shown, left } = withinBytes(nodeKinds, (kind) => row(kind, rules), MAX_BYTES);
  const missing = nodeKinds.slice(shown.length).reduce((sum, kind) => sum + kind.names.length, 0);
  const ownWord = nodeKinds.filter(({ verdict }) => verdict.readiness === 'Ready').flatMap(({ names }) => names).length;
  return section({
    id: 'nodes',
    title: 'Nodes',
    note: `${counted(nodes.total, 'node')} of ${counted(nodeKinds.length, 'kind')}: nodes with the same system and the same answers share a line.${left > 0 ? ` ${counted(missing, 'node')} are left out of this page; the JSON report has them.` : ''}${ownWord > nodes.ready ? ` By what runtimes say to the API server, ${counted(ownWord - nodes.ready, 'node')} of the ready ones are not.` : ''}`,
    tools: markup`<div class="tools"><span class="dim"><span data-count="node-table">${shown.length}</span> shown</span>${searchField('node-table', 'Search nodes')}</div>`,
    body: markup`${table({
      id: 'node-table',
      caption: 'Kinds of nodes, and what the rules say of them',
      columns: [
        { title: 'Readiness', sort: 'up' },
        { title: 'Nodes', sort: 'down', numeric: true },
        { title: 'System', sort: 'up' },
        ...rules.map((title) => ({ title, upright: true })),
        { title: 'Pods', sort: 'down', numeric: true },
        { title: 'Isolated', sort: 'down', numeric: true },
      ],
      rows: shown,
    })}<p class="dim" data-none="node-table" hidden>No node has all these words.</p>${legend()}`,
  });
}

function row({ verdict, system, evidence, rules, names, pods, privatePods }: NodeKind, all: readonly string[]): Html {
  const [word, tone] = READINESS[verdict.readiness];
  const parts = [system?.kernelRelease, system?.runtime, system?.kubeletVersion && `kubelet ${system.kubeletVersion}`];
  return markup`<tr><td>${tag(word, tone)}${verdict.reasons.map((reason) => markup`<br><span class="dim">${reason}</span>`)}</td>${cell(names.length)}<td>${system?.osImage ?? 'unknown system'}${parts.flatMap((part) => (part ? [markup`<br><span class="dim">${part}</span>`] : []))}${evidence === undefined || evidence === 'full' ? NOTHING : markup`<br><span class="doubt">evidence: ${evidence}</span>`}${nameList(names)}</td>${all.map((rule) => answer(rules.get(rule)))}${cell(pods)}${cell(privatePods)}</tr>`;
}

const MAX_NAME_BYTES = 220_000;

/** Known by its first name, so that it stays open when others join. */
function nameList(names: readonly string[]): Html {
  const [first = ''] = names;
  if (names.length === 1) return markup`<br><b>${first}</b>`;
  return markup`<details id="names-of-${first}"><summary>${number(names.length)} names</summary><div class="names">${namesText(names)}</div></details>`;
}

function namesText(names: readonly string[]): string {
  const text = names.join(', ');
  if (text.length <= MAX_NAME_BYTES) return text;
  const cut = text.slice(0, text.lastIndexOf(', ', MAX_NAME_BYTES));
  return `${cut} and ${counted(names.length - cut.split(', ').length, 'more node')}; the JSON report has all`;
}

/** What a node does not answer is unknown. */
function answer(status: ReturnType<NodeKind['rules']['get']> = 'unknown'): Html {
  const { sign, tone } = SIGNS[status];
  return markup`<td class="c ${tone}"><span aria-hidden="true">${sign}</span><span class="unseen">${status}</span></td>`;
}

function legend(): Html {
  return markup`<p class="note">✓ pass, ✗ fail, ? unknown, – does not apply. Unknown is never counted as ready.</p>`;
}
