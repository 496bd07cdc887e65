import type { Finding } from '../core/finding.ts';
import { formatIdMap } from '../core/id-map.ts';
import { sha256 } from '../core/sha256.ts';
import { printable } from '../core/text.ts';
import type { NodeReport, ReportedContainer } from './node-report.ts';
import { kernelRows, runtimeRows } from './node-rows.ts';
import { plain } from './paint.ts';

/** A page and the policy a browser is to hold it to. */
export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --dim: #57606a; --line: #d0d7de; --good: #116329; --bad: #a40e26; --doubt: #7a4d00; --soft: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --dim: #9198a1; --line: #30363d; --good: #56d364; --bad: #ff7b72; --doubt: #e3b341; --soft: #161b22; } }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
.numbers { display: flex; gap: 1rem; flex-wrap: wrap; margin: 1rem 0 0; padding: 0; list-style: none; }
.numbers li { flex: 1 1 9rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--soft); }
.numbers b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } thead th { color: var(--dim); font-size: .85rem; } caption { text-align: left; color: var(--dim); padding-bottom: .35rem; }
code, .mono { font-family: ui-monospace, monospace; font-size: .92em; white-space: pre-wrap; }
@media print { body { font-size: 11px; } .numbers li { background: none; } }
`;

/** Looks for news every few seconds; what has not changed is left alone, and with it where the reader is. */
const SCRIPT = `
const main = document.querySelector('main');
let shown = '';
setInterval(async () => {
  try {
    const answer = await fetch('/fragment', { cache: 'no-store' });
    const text = await answer.text();
    if (!answer.ok || text === shown) return;
    shown = text;
    main.innerHTML = text;
  } catch { /* The process is gone for now: the next look may find it again. */ }
}, 5000);
`;

/** The page of one machine, without anything from elsewhere; it keeps itself current where `/fragment` is served beside it. */
export function renderNodePage(report: NodeReport, time: string): Page {
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>userns-audit: ${escape(report.readiness.status)}</title><style>${STYLE}</style></head>
<body><main>${renderNodeFragment(report, time)}</main><script>${SCRIPT}</script></body></html>
`;
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(STYLE)}'`,
    `script-src '${hashOf(SCRIPT)}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, contentSecurityPolicy: policy };
}

/** What changes of the page. */
export function renderNodeFragment(report: NodeReport, time: string): string {
  const { readiness, summary, facts, containers, findings } = report;
  const tone = { READY: 'good', 'NOT READY': 'bad', UNKNOWN: 'doubt' }[readiness.status];
  const meaning = {
    READY: 'this machine can run private user namespaces',
    'NOT READY': 'this machine can not run private user namespaces',
    UNKNOWN: 'whether this machine can run private user namespaces is not known',
  }[readiness.status];
  const os = facts.osRelease.ok ? facts.osRelease.value.prettyName : '';
  const kernel = facts.kernelRelease.ok ? `Linux ${facts.kernelRelease.value.raw}` : '';
  const users = summary.userNamespaces;
  const numbers: readonly (readonly [number, string])[] = [
    [users.private, 'containers in a private user namespace'],
    [users.host, "containers in the host's user namespace"],
    [users.unknown, 'containers nobody can tell of'],
    [summary.findings.fail, 'findings'],
  ];
  return [
    `<h1><span class="${tone}">${readiness.status}</span> ${escape(meaning)}</h1>`,
    `<p class="dim">${escape([os, kernel].filter(Boolean).join(', '))}, seen ${escape(time)}</p>`,
    ...readiness.reasons.map(({ rule, message }) => `<p><b>${escape(rule)}</b>: ${escape(message)}</p>`),
    ...facts.sight.reasons.map((reason) => `<p class="doubt">limited sight: ${escape(reason)}</p>`),
    `<ul class="numbers">${numbers.map(([count, what]) => `<li><b>${count}</b>${escape(what)}</li>`).join('')}</ul>`,
    `<h2>Kernel</h2>${table('What the kernel can, and where that was read', ['What', 'Value', 'Read from'], kernelRows(report, plain))}`,
    `<h2>Runtime</h2>${table('What runs containers', ['What', 'Value', 'Read from'], runtimeRows(report, plain))}`,
    `<h2>Containers</h2>${containerTable(containers)}`,
    `<h2>Findings</h2>${findingTable(findings.filter(({ status }) => status === 'fail' || status === 'unknown'))}`,
  ].join('\n');
}

const LEGEND =
  "U user, p pid, n net, i ipc, u uts, m mnt, C cgroup, T time. A letter: a namespace of its own. -: the host's. ?: unknown.";

function containerTable(containers: readonly ReportedContainer[]): string {
  if (containers.length === 0) return '<p class="dim">none</p>';
  return table(
    LEGEND,
    ['Namespaces', 'Container', 'Runtime', 'Process', 'Root is', 'uid_map'],
    containers.map(({ vector, id, docker, runtime, sandbox, init, rootHostUid, uidMap, state }) => [
      vector,
      docker?.name ?? (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id),
      sandbox ? `${runtime} (${sandbox})` : runtime,
      state === 'exited' ? 'exited' : `${init.command} (${init.pid})`,
      rootHostUid.ok ? (rootHostUid.value === 0 ? 'host root' : `uid ${rootHostUid.value}`) : rootHostUid.why,
      uidMap.ok ? formatIdMap(uidMap.value) : uidMap.why,
    ]),
  );
}

function findingTable(findings: readonly Finding[]): string {
  if (findings.length === 0) return '<p class="dim">none</p>';
  return table(
    'Failures first, the worst before the mild',
    ['Severity', 'Rule', 'About', 'What is so', 'What to do'],
    findings.map(({ severity, status, rule, subject, message, fix = '' }) => [
      status === 'unknown' ? 'unknown' : severity,
      rule,
      subject.kind === 'Node' ? 'this machine' : (subject.name ?? subject.id.slice(0, 12)),
      message,
      fix,
    ]),
  );
}

function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        index === 0 ? `<th scope="row" class="mono">${escape(cell)}</th>` : `<td class="mono">${escape(cell)}</td>`,
      )
      .join('');
  return `<div class="scroll" tabindex="0"><table><caption>${escape(caption)}</caption><thead><tr>${head.map((title) => `<th scope="col">${escape(title)}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${line(row)}</tr>`).join('')}</tbody></table></div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Everything on the page may be somebody's choice: names of containers, of processes, of files. */
function escape(text: string): string {
  return printable(text, 2000).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function hashOf(text: string): string {
  return `sha256-${Buffer.from(sha256(text), 'hex').toString('base64')}`;
}
