import type { ClusterReport, ReportedNamespace } from '../cluster-report.ts';
import { type Html, html, NOTHING } from './html.ts';
import { cell, counted, meter, searchField, section, table, withinBytes } from './parts.ts';

const MAX_BYTES = 300_000;

/** Every namespace in a line, the most pods first. */
export function renderNamespaces({ namespaces }: ClusterReport): Html {
  if (namespaces.length === 0) return NOTHING;
  const sorted = namespaces.toSorted((a, b) => b.status.pods.running - a.status.pods.running);
  const { shown, left } = withinBytes(sorted, row, MAX_BYTES);
  return section({
    id: 'namespaces',
    title: 'Namespaces',
    note: `Declared and effective: a pod counts as isolated when it asks for a user namespace and the kernel shows one.${left > 0 ? ` ${counted(left, 'namespace')} with the fewest pods are left out of this page; the JSON report has them.` : ''}`,
    tools: html`<div class="tools"><span class="dim"><span data-count="namespace-table">${shown.length}</span> namespaces</span>${searchField('namespace-table', 'Search namespaces')}</div>`,
    body: html`${table({
      id: 'namespace-table',
      caption: 'Namespaces and how their pods stand to user namespaces',
      columns: [
        { title: 'Namespace', sort: 'up' },
        { title: 'Adoption', sort: 'down' },
        { title: 'Pods', sort: 'down', numeric: true, sorted: true, hint: 'Running pods' },
        { title: 'Isolated', sort: 'down', numeric: true, hint: 'Declared hostUsers: false, and the kernel agrees' },
        { title: 'Host', sort: 'down', numeric: true, hint: "In the host's user namespace, as declared" },
        {
          title: 'Not in force',
          sort: 'down',
          numeric: true,
          hint: "Declared hostUsers: false, and in the host's user namespace all the same",
        },
        { title: 'Unknown', sort: 'down', numeric: true, hint: 'Nobody can tell' },
        { title: 'Critical', sort: 'down', numeric: true },
        { title: 'High', sort: 'down', numeric: true },
        { title: 'Could adopt', sort: 'down', numeric: true, hint: 'Workloads nothing speaks against' },
        { title: 'Blocked', sort: 'down', numeric: true, hint: 'Workloads that must change first' },
      ],
      rows: shown,
    })}<p class="dim" data-none="namespace-table" hidden>No namespace has all these words.</p>`,
  });
}

function row({ name, status }: ReportedNamespace): Html {
  const { pods, adoptionPercent, findingTotals, workloads } = status;
  const failing = (status.findings ?? []).length > 0;
  return html`<tr><th scope="row">${failing ? html`<a href="#findings" data-list="finding-list" data-search="${name}">${name}</a>` : name}</th>${
    adoptionPercent === undefined
      ? html`<td class="dim" data-v="-1">no pods</td>`
      : html`<td data-v="${adoptionPercent}">${meter(adoptionPercent)}${adoptionPercent} %</td>`
  }${cell(pods.running)}${cell(pods.private)}${cell(pods.host)}${cell(pods.notEffective + pods.overlapping, 'bad')}${cell(pods.unknown, 'doubt')}${cell(findingTotals.critical, 'bad')}${cell(findingTotals.high)}${cell(workloads?.ready ?? 0)}${cell(workloads?.blocked ?? 0)}</tr>`;
}
