import type { ClusterReport } from '../cluster-report.ts';
import type { ClusterOverview, Trend } from '../cluster-overview.ts';
import { drawBars, drawTrend } from './charts.ts';
import { type Html, markup, NOTHING } from './html.ts';
import { cell, counted, key, number, section, table, tag, timeText, type Tone } from './parts.ts';

/** The answer in one sentence, when it was so, and of what. */
export function renderHeader(overview: ClusterOverview, scope: string): Html {
  const { generatedAt, kubernetes, pods } = overview;
  return markup`<header data-part-id="header">
<p class="eyebrow"><b>userns-audit</b><span>${scope}</span>${kubernetes ? markup`<span>Kubernetes ${kubernetes.version}</span>` : NOTHING}<span>${timeText(generatedAt)}</span><span class="gone">not current: nobody answers</span></p>
<h1>${headline(overview)}</h1>
<p class="lead">${pods.running === 0 ? 'Where the agent runs, this page shows what is in force on every node.' : `Declared in the pod and in force in the kernel, as seen on ${seenText(overview)}.${trendSentence(overview.trend)}`}</p>
${alerts(overview)}
</header>
`;
}

/** Nodes whose agents are heard and believed: on the others nobody has looked. */
function seenText({ nodes, nodeKinds }: ClusterOverview): string {
  const seen = nodeKinds.reduce((sum, { verdict, names }) => sum + (verdict.believed ? names.length : 0), 0);
  return seen === nodes.total ? counted(seen, 'node') : `${number(seen)} of ${counted(nodes.total, 'node')}`;
}

function headline({ pods, adoptionPercent, nodes }: ClusterOverview): string {
  if (adoptionPercent === undefined)
    return nodes.total === 0 ? 'Nothing has been audited yet' : 'No running pod has been seen';
  return `${adoptionPercent} % of ${counted(pods.running, 'running pod')} ${pods.running === 1 ? 'is' : 'are'} isolated by a user namespace`;
}

function trendSentence(trend: Trend | undefined): string {
  if (!trend) return '';
  const { points, days } = trend;
  if (points === 0) return ` As many as ${counted(days, 'day')} ago.`;
  return ` ${counted(Math.abs(points), 'point')} ${points > 0 ? 'more' : 'less'} than ${counted(days, 'day')} ago.`;
}

const SHOWN_CRITICAL = 3;

function alerts({ kubernetes, truncated, nodes, pods, critical }: ClusterOverview): Html {
  const texts: (readonly [Tone, string])[] = critical
    .slice(0, SHOWN_CRITICAL)
    .map(({ subjects, message }) => ['bad', `Critical: ${criticalSubjects(subjects)} ${message}.`]);
  if (kubernetes?.keepsHostUsers === 'False')
    texts.push(['bad', `The API server drops hostUsers from pods without a word: ${kubernetes.reason}.`]);
  if (pods.unknown > 0 || nodes.unknown > 0)
    texts.push([
      'doubt',
      `Nobody can tell of ${counted(pods.unknown, 'pod')} and ${counted(nodes.unknown, 'node')}. They count as unknown here, never as isolated or ready.`,
    ]);
  if (truncated.length > 0)
    texts.push([
      'doubt',
      `Of ${counted(truncated.length, 'namespace')} not every finding is listed; the totals count all.`,
    ]);
  return markup`${texts.map(
    ([tone, text]) => markup`<p class="alert ${tone}">${text}</p>
`,
  )}`;
}

/** `payments/Deployment/api and 3 more: ` */
function criticalSubjects(subjects: ClusterOverview['critical'][number]['subjects']): string {
  const [first, ...others] = subjects;
  const name = first?.namespace === undefined ? (first?.name ?? '') : `${first.name} in ${first.namespace}`;
  return others.length === 0 ? name : `${name} and ${counted(others.length, 'other')}:`;
}

interface Tile {
  readonly what: string;
  readonly value: number;
  readonly of: string;
  readonly more: string;
  /** How bad the number is, and what stands below it. */
  readonly tone?: Tone;
  readonly moreTone?: Tone;
}

export function renderTiles(overview: ClusterOverview): Html {
  return markup`<ul class="tiles" data-part-id="tiles">${tilesOf(overview).map(
    ({ what, value, of, more, tone, moreTone = '' }) =>
      markup`<li><span class="what">${what}</span><span class="number ${value === 0 ? '' : (tone ?? '')}">${number(value)}</span><span class="more">${of}</span><span class="more ${moreTone}">${more}</span></li>`,
  )}</ul>
`;
}

function tilesOf({
  nodes,
  findingTotals,
  workloads,
  pods,
  exceptions,
  missedFloors,
  whole,
}: ClusterOverview): readonly Tile[] {
  const count = (state: string): number => exceptions.filter((one) => one.state === state).length;
  const expired = count('expired');
  return [
    {
      what: 'Isolated pods',
      value: pods.private,
      of: `of ${number(pods.running)} running`,
      more: pods.notEffective > 0 ? `${number(pods.notEffective)} declared, not in force` : 'none declared in vain',
      ...(pods.notEffective > 0 ? { moreTone: 'bad' } : {}),
    },
    {
      what: 'Ready nodes',
      value: nodes.ready,
      of: `of ${number(nodes.total)}`,
      more: `${number(nodes.notReady)} not ready, ${number(nodes.unknown)} unknown`,
    },
    {
      what: 'Critical findings',
      value: findingTotals.critical,
      of: `${number(findingTotals.high)} high, ${number(findingTotals.medium)} medium`,
      more: `${number(findingTotals.accepted)} accepted`,
      tone: 'bad',
    },
    {
      what: 'Could adopt now',
      value: workloads.ready,
      of: 'workloads, as they are',
      more: `${number(workloads.adopted)} have, ${number(workloads.blocked)} blocked`,
    },
    ...(whole
      ? [
          {
            what: 'Exceptions to look at',
            value: expired + count('expiring') + count('unused'),
            of: `of ${number(exceptions.length)}`,
            more: `${number(expired)} expired, ${number(count('expiring'))} expiring, ${number(count('unused'))} unused`,
          },
        ]
      : []),
    ...(missedFloors.length > 0
      ? [
          {
            what: 'Below their floor',
            value: missedFloors.length,
            of: missedFloors.length === 1 ? 'namespace' : 'namespaces',
            more: 'fewer private pods than agreed',
            tone: 'bad' as const,
          },
        ]
      : []),
  ];
}

const CHART_NAMESPACES = 10;

/** Adoption over time, where the pods are, and what keeps nodes from being ready. */
export function renderCharts(report: ClusterReport, overview: ClusterOverview): Html {
  const { history, pods, nodes } = overview;
  const left: Html[] = [];
  const right: Html[] = [];
  const last = history.at(-1);
  if (history.length > 1 && last)
    left.push(
      markup`<figure><figcaption>Adoption over time</figcaption><p class="note">Share of running pods, and of nodes that are ready for them</p>${drawTrend(history)}${key(
        [
          { fill: 'good', label: 'isolated pods', value: percentOf(last.private, last.running) },
          { fill: 'blue', label: 'ready nodes (dashed)', value: percentOf(last.readyNodes, last.nodes) },
        ],
      )}</figure>`,
    );
  if (pods.running > 0) {
    const populated = report.namespaces.filter(({ status }) => status.pods.running > 0);
    const largest = populated
      .toSorted((a, b) => b.status.pods.running - a.status.pods.running)
      .slice(0, CHART_NAMESPACES);
    const bars = largest.map(({ name, status: { pods: counts } }) => ({
      label: visible(name),
      parts: [
        { color: 'var(--good-fill)', value: counts.private },
        { color: 'var(--odd-fill)', value: counts.undeclaredPrivate },
        { color: 'var(--host-fill)', value: counts.host },
        { color: 'var(--bad-fill)', value: counts.notEffective + counts.overlapping },
        { color: 'var(--doubt-fill)', value: counts.unknown },
      ],
    }));
    right.push(
      markup`<figure><figcaption>Running pods by what is in force</figcaption><p class="note">${largest.length < populated.length ? `The ${largest.length} namespaces with the most pods; the numbers below count all` : 'By namespace'}</p>${drawBars('pods', bars)}${key(
        [
          { fill: 'good', label: 'isolated', value: pods.private },
          { fill: 'odd', label: 'isolated, not declared', value: pods.undeclaredPrivate },
          { fill: 'host', label: "in the host's user namespace", value: pods.host },
          {
            fill: 'bad',
            label: 'declared and not in force, or overlapping',
            value: pods.notEffective + pods.overlapping,
          },
          { fill: 'doubt', label: 'unknown', value: pods.unknown },
        ],
      )}</figure>`,
    );
  }
  if (nodes.total > 0) left.push(nodeFigure(nodes));
  if (left.length + right.length === 0) return NOTHING;
  const columns = [left, right].filter((figures) => figures.length > 0);
  return section({
    id: 'overview',
    title: 'Overview',
    body: markup`<div class="figures">${columns.map((figures) => markup`<div>${figures}</div>`)}</div>`,
  });
}

function nodeFigure({ total, ready, notReady, unknown, reasons }: ClusterOverview['nodes']): Html {
  const readiness = {
    label: 'All nodes',
    parts: [
      { color: 'var(--good-fill)', value: ready },
      { color: 'var(--bad-fill)', value: notReady },
      { color: 'var(--doubt-fill)', value: unknown },
    ],
  };
  return markup`<figure><figcaption>Nodes that can run private user namespaces</figcaption><p class="note">${reasons.length === 0 ? 'Nothing speaks against any of them' : 'And the rules that speak against the others'}</p>${drawBars(
    'nodes',
    [readiness],
  )}${key([
    { fill: 'good', label: 'ready', value: ready },
    { fill: 'bad', label: 'not ready', value: notReady },
    { fill: 'doubt', label: 'unknown', value: unknown },
  ])}${
    reasons.length === 0
      ? NOTHING
      : markup`<table><caption class="unseen">What speaks against nodes</caption><thead><tr><th scope="col">Reason</th><th scope="col" class="n">Nodes</th></tr></thead><tbody>${reasons
          .slice(0, 8)
          .map(
            ({ rule, nodes }) =>
              markup`<tr><th scope="row">${rule}</th><td class="n">${number(nodes)} <span class="dim">of ${number(total)}</span></td></tr>`,
          )}</tbody></table>`
  }</figure>`;
}

function percentOf(part: number, whole: number): string {
  return whole === 0 ? 'none' : `${Math.floor((100 * part) / whole)} %`;
}

/** The drawing library escapes markup; deceptive characters are ours to take out. */
function visible(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '\ufffd');
}

const SHOWN_BLOCKERS = 25;

export function renderBlockers({ blockers, workloads }: ClusterOverview): Html {
  if (blockers.length === 0) return NOTHING;
  const rows = blockers
    .slice(0, SHOWN_BLOCKERS)
    .map(
      ({ reason, workloads: count, namespaces, example }) =>
        markup`<tr><th scope="row">${reason}</th>${cell(count)}${cell(namespaces)}<td>${example}</td></tr>`,
    );
  return section({
    id: 'blockers',
    title: 'What stops the rest',
    note: `${counted(workloads.blocked, 'workload')} can not take hostUsers: false as they are, or the pods alone do not tell; one may be stopped by more than one thing.${blockers.length > SHOWN_BLOCKERS ? ` The ${SHOWN_BLOCKERS} most frequent of ${blockers.length}.` : ''}`,
    body: table({
      id: 'blocker-table',
      caption: 'What keeps workloads from hostUsers: false',
      columns: [
        { title: 'Reason', sort: 'up' },
        { title: 'Workloads', sort: 'down', numeric: true, sorted: true },
        { title: 'Namespaces', sort: 'down', numeric: true },
        { title: 'For example' },
      ],
      rows,
    }),
  });
}

export function renderFloors({ missedFloors }: ClusterOverview): Html {
  if (missedFloors.length === 0) return NOTHING;
  return section({
    id: 'floors',
    title: 'Below their floor',
    note: 'Namespaces with fewer private pods than the policy asks for.',
    body: table({
      id: 'floor-table',
      caption: 'Namespaces below their floor',
      columns: [{ title: 'Namespace' }, { title: 'Required' }, { title: 'There is' }, { title: 'Standing' }],
      rows: missedFloors.map(
        ({ namespace, required, actual }) =>
          markup`<tr><th scope="row">${namespace}</th><td>${required}</td><td>${actual}</td><td>${tag('missed', 'bad')}</td></tr>`,
      ),
    }),
  });
}
