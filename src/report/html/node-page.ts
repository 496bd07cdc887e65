import type { Finding } from '../../core/finding.ts';
import { formatIdMap } from '../../core/id-map.ts';
import { NAMESPACE_LETTERS, NAMESPACE_TYPES } from '../../core/namespace.ts';
import { plain } from '../paint.ts';
import type { NodeReport, ReportedContainer } from '../node-report.ts';
import { kernelRows, runtimeRows } from '../node-rows.ts';
import { type Html, markup, join, NOTHING } from './html.ts';
import { type Page, renderDocument } from './page.ts';
import { counted, number, searchField, section, severityTone, table, tag, type Tone, withinBytes } from './parts.ts';

export interface NodePageOptions {
  /** True where `/fragment` is served beside the page. */
  readonly live?: boolean;
}

const VERDICTS: Readonly<Record<NodeReport['readiness']['status'], { readonly tone: Tone; readonly text: string }>> = {
  READY: { tone: 'good', text: 'can run private user namespaces' },
  'NOT READY': { tone: 'bad', text: 'can not run private user namespaces' },
  UNKNOWN: { tone: 'doubt', text: 'may or may not run private user namespaces: nobody can tell' },
};

/** The page of one machine. `time` is when it was audited, as people read it. */
export function renderNodePage(report: NodeReport, time: string, options: NodePageOptions = {}): Page {
  const { live = true } = options;
  return renderDocument({ title: `userns-audit: ${report.readiness.status}`, main: renderMain(report, time), live });
}

/** What changes of the page while it is open. */
export function renderNodeFragment(report: NodeReport, time: string): string {
  return renderMain(report, time).text;
}

function renderMain(report: NodeReport, time: string): Html {
  const { containers, findings } = report;
  const open = findings.filter(({ status }) => status === 'fail' || status === 'unknown');
  return markup`${header(report, time)}<main id="main" tabindex="-1">
${tiles(report)}${join([containerSection(report, containers), findingSection(open), rowsSection(report)])}</main>
<footer data-part-id="footer"><p>What nobody could see is unknown, and unknown is never counted as a pass. userns-audit explain RULE tells more of a rule.</p></footer>`;
}

function header({ readiness, facts }: NodeReport, time: string): Html {
  const { tone, text } = VERDICTS[readiness.status];
  const os = facts.osRelease.ok ? facts.osRelease.value.prettyName : 'unknown distribution';
  const kernel = facts.kernelRelease.ok ? `Linux ${facts.kernelRelease.value.raw}` : 'kernel release unknown';
  const subject = readiness.engine === 'none' ? 'This machine' : `${readiness.engine} on this machine`;
  return markup`<header data-part-id="header">
<p class="eyebrow"><b>userns-audit</b><span>${os}</span><span>${kernel}</span><span>${time}</span><span class="gone">not current: nobody answers</span></p>
<h1>${subject} <span class="${tone}">${text}</span></h1>
${readiness.reasons.map(
  ({ rule, message }) => markup`<p class="alert ${tone}">${message} <span class="dim">(${rule})</span></p>
`,
)}${facts.sight.reasons.map(
    (reason) => markup`<p class="alert doubt">Limited sight: ${reason}</p>
`,
  )}</header>
`;
}

function tiles({ summary, findings }: NodeReport): Html {
  const { userNamespaces: users } = summary;
  const severe = findings.filter(
    ({ status, severity }) => status === 'fail' && ['critical', 'high'].includes(severity),
  );
  const items: readonly (readonly [string, number, string, Tone | ''])[] = [
    ['Isolated containers', users.private, 'in a user namespace of their own', ''],
    ['On the host', users.host, "in the host's user namespace", ''],
    ['Unknown', users.unknown, 'nobody can tell', 'doubt'],
    ['Findings', summary.findings.fail, `${number(severe.length)} critical or high`, severe.length > 0 ? 'bad' : ''],
  ];
  return markup`<ul class="tiles" data-part-id="tiles">${items.map(
    ([what, value, more, tone]) =>
      markup`<li><span class="what">${what}</span><span class="number ${value === 0 ? '' : tone}">${number(value)}</span><span class="more">${more}</span></li>`,
  )}</ul>
`;
}

const MAX_BYTES = 400_000;

function containerSection({ facts }: NodeReport, containers: readonly ReportedContainer[]): Html {
  const { shown, left } = withinBytes(containers, containerRow, MAX_BYTES);
  const letters = NAMESPACE_TYPES.map((type) => `${NAMESPACE_LETTERS[type]} ${type}`).join(', ');
  // To see none through a narrow window is not to know that there are none.
  const none = facts.sight.procfs === 'host' ? 'No container runs here.' : 'Containers can not be seen from here.';
  return section({
    id: 'containers',
    title: 'Containers',
    note: `Namespaces: ${letters}. A letter is one of its own, - the host's, ? unknown.${left > 0 ? ` ${counted(left, 'container')} are left out of this page; the JSON report has them.` : ''}`,
    tools:
      containers.length === 0
        ? NOTHING
        : markup`<div class="tools"><span class="dim"><span data-count="container-table">${shown.length}</span> shown</span>${searchField('container-table', 'Search containers')}</div>`,
    body:
      containers.length === 0
        ? markup`<p class="dim">${none}</p>`
        : markup`${table({
            id: 'container-table',
            caption: 'Containers and the namespaces they are in',
            columns: [
              { title: 'Container', sort: 'up' },
              { title: 'Namespaces', sort: 'up' },
              { title: 'Root is', sort: 'up' },
              { title: 'uid_map' },
              { title: 'Runtime', sort: 'up' },
              { title: 'PID', sort: 'up', numeric: true },
            ],
            rows: shown,
          })}<p class="dim" data-none="container-table" hidden>No container has all these words.</p>`,
  });
}

function containerRow(container: ReportedContainer): Html {
  const { id, docker, podUid, hostname, runtime, sandbox, init, rootHostUid, uidMap, state } = container;
  const name = docker?.name ?? (hostname.ok && podUid !== undefined ? hostname.value : init.command);
  const shortId = /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id;
  return markup`<tr><th scope="row">${name}<br><span class="dim">${podUid === undefined ? shortId : `${init.command}, ${shortId}`}</span></th><td class="mono" data-v="${container.vector}">${vector(container)}</td><td>${rootHostUid.ok ? (rootHostUid.value === 0 ? tag('host root', 'bad') : markup`uid ${String(rootHostUid.value)}`) : markup`<span class="dim">${rootHostUid.why === 'absent' ? 'unmapped' : 'unknown'}</span>`}</td><td class="mono">${uidMap.ok ? formatIdMap(uidMap.value) : uidMap.why}</td><td>${sandbox ? `${runtime} (${sandbox})` : runtime}</td><td class="n">${state === 'exited' ? 'exited' : String(init.pid)}</td></tr>`;
}

function vector({ vector: letters, namespaces }: ReportedContainer): Html {
  return markup`${NAMESPACE_TYPES.map((type, index) => {
    const { relation } = namespaces[type];
    // Runtimes leave these two shared as a rule, so they are no matter for alarm.
    const shared = type === 'cgroup' || type === 'time' ? 'dim' : 'bad';
    const tone = relation === 'private' ? 'good' : relation === 'unknown' ? 'doubt' : shared;
    return markup`<span class="${tone}">${letters[index] ?? '?'}</span>`;
  })}`;
}

function findingSection(findings: readonly Finding[]): Html {
  const { shown, left } = withinBytes(findings, finding, MAX_BYTES);
  return section({
    id: 'findings',
    title: 'Findings',
    note: `Failures first, the worst before the mild; then what could not be judged.${left > 0 ? ` ${counted(left, 'milder one')} are left out of this page; the JSON report has them.` : ''}`,
    tools:
      findings.length === 0
        ? NOTHING
        : markup`<div class="tools"><span class="dim"><span data-count="finding-list">${shown.length}</span> shown</span>${searchField('finding-list', 'Search findings')}</div>`,
    body:
      findings.length === 0
        ? markup`<p class="dim">No rule is broken.</p>`
        : markup`<ul class="list" id="finding-list">${shown}</ul><p class="dim" data-none="finding-list" hidden>No finding has all these words.</p>`,
  });
}

function finding({ rule, severity, status, subject, message, evidence, fix }: Finding): Html {
  const word = status === 'unknown' ? 'unknown' : severity;
  const where = subject.kind === 'Node' ? 'this machine' : `container ${subject.name ?? subject.id.slice(0, 12)}`;
  return markup`<li class="finding" data-word="${word}"><div>${tag(word, status === 'unknown' ? 'doubt' : severityTone(severity))}</div><div><p class="message">${message}</p><p class="rule">${rule}${status === 'unknown' ? `, ${severity}` : ''}</p><dl><dt>About</dt><dd>${where}</dd>${evidence.map(({ source, value }) => markup`<dt>Evidence</dt><dd><code>${source}: ${value}</code></dd>`)}${fix === undefined ? NOTHING : markup`<dt>Fix</dt><dd class="fix">${fix}</dd>`}</dl></div></li>
`;
}

function rowsSection(report: NodeReport): Html {
  const rows = (list: ReturnType<typeof kernelRows>): readonly Html[] =>
    list.map(
      ([what, value, source]) =>
        markup`<tr><th scope="row">${what}</th><td>${value}</td><td class="dim">${source}</td></tr>`,
    );
  const columns = [{ title: 'What' }, { title: 'Value' }, { title: 'Read from' }];
  return markup`${section({
    id: 'kernel',
    title: 'Kernel',
    body: table({ id: 'kernel-table', caption: 'What the kernel can', columns, rows: rows(kernelRows(report, plain)) }),
  })}${section({
    id: 'runtime',
    title: 'Runtime',
    body: table({
      id: 'runtime-table',
      caption: 'What runs containers',
      columns,
      rows: rows(runtimeRows(report, plain)),
    }),
  })}`;
}
