import type { ClusterReport, ReportedNamespace } from '../cluster-report.ts';
import { type Html, markup, NOTHING } from './html.ts';
import { cell, counted, meter, searchField, section, table, withinBytes } from './parts.ts';

const MAX_BYTES = 300_000;

/** Every namespace in a line, the most pods first. */
export function renderNamespaces({ namespaces }: ClusterReport): Html {
  if (namespaces.length === 0) return NOTHING;
  const sorted = namespaces.toSorted((a, b) => b.status.pods.running - a.status.pods.running);
  // Hardly any cluster has such pods.
  const undeclared = namespaces.some(({ status }) => status.pods.undeclaredPrivate > 0);
  const { shown, left } = withinBytes(sorted, (namespace) => row(namespace, undeclared), MAX_BYTES);
  return section({
    id: 'namespaces',
    title: 'Namespaces',
    note: `Declared and effective: a pod counts as isolated when it asks for a user namespace and the kernel shows one.${left > 0 ? ` ${counted(left, 'namespace')} with the fewest pods are left out of this page; the JSON report has them.` : ''}`,
    tools: markup`<div class="tools"><span class="dim"><span data-count="namespace-table">${shown.length}</span> shown</span>${searchField('namespace-table', 'Search namespaces')}</div>`,
    body: markup`${table({
      id: 'namespace-table',
      caption: 'Namespaces and how their pods stand to user namespaces',
      columns: [
        { title: 'Namespace', sort: 'up' },
        { title: 'Adoption', sort: 'down' },
        { title: 'Pods', sort: 'down', numeric: true, sorted: true, hint: 'Running pods' },
        { title: 'Isolated', sort: 'down', numeric: true, hint: 'Declared hostUsers: false, and the kernel agrees' },
        { title: 'Host', sort: 'down', numeric: true, hint: "In the host's user namespace, as declared" },
        ...(undeclared
          ? [
              {
                title: 'Undeclared',
                sort: 'down' as const,
                numeric: true,
                hint: 'In a user namespace of their own that nobody declared',
              },
            ]
          : []),
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

function row({ name, status }: ReportedNamespace, undeclared: boolean): Html {
  const { pods, adoptionPercent, findingTotals, workloads } = status;
  const failing = (status.findings ?? []).length > 0;
  return markup`<tr><th scope="row">${failing ? markup`<a href="#findings" data-list="finding-list" data-search="${name}">${name}</a>` : name}</th>${
    adoptionPercent === undefined
      ? markup`<td class="dim" data-v="-1">no pods</td>`
      : markup`<td data-v="${adoptionPercent}">${meter(adoptionPercent)}${adoptionPercent} %</td>`
  }${cell(pods.running)}${cell(pods.private)}${cell(pods.host)}${undeclared ? cell(pods.undeclaredPrivate) : NOTHING}${cell(pods.notEffective + pods.overlapping, 'bad')}${cell(pods.unknown, 'doubt')}${cell(findingTotals.critical, 'bad')}${cell(findingTotals.high)}${cell(workloads?.ready ?? 0)}${cell(workloads?.blocked ?? 0)}</tr>`;
}
