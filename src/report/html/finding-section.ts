import { createHash } from 'node:crypto';
import { SEVERITIES } from '../../core/finding.ts';
import type { ClusterOverview } from '../cluster-overview.ts';
import type { FindingGroup, FindingSubjectLine } from '../finding-groups.ts';
import { type Html, markup, NOTHING } from './html.ts';
import { counted, number, searchField, section, severityTone, tag, withinBytes } from './parts.ts';

const MAX_BYTES = 320_000;
/** Subjects that are named at once; other workloads are folded, other nodes stand in the list of nodes. */
const SHOWN_SUBJECTS = 12;
const SHOWN_NODES = 5;
/** Most of the text of all subjects of a finding, in characters. */
const MAX_SUBJECT_TEXT = 60_000;
const MAX_EVIDENCE = 4;

/** All that fails or is unknown, alike ones together, with evidence and what to do. */
export function renderFindings({ findings }: ClusterOverview): Html {
  if (findings.length === 0)
    return section({ id: 'findings', title: 'Findings', body: markup`<p class="dim">No rule is broken.</p>` });
  const { shown, left } = withinBytes(findings, renderFinding, MAX_BYTES);
  const words = [...new Set(findings.slice(0, shown.length).map(wordOf))];
  return section({
    id: 'findings',
    title: 'Findings',
    note: `Failures first, the worst before the mild; then what could not be judged; then what was accepted.${left > 0 ? ` ${counted(left, 'milder one')} are left out of this page; the JSON report has them.` : ''}`,
    tools: markup`<div class="tools"><span class="dim"><span data-count="finding-list">${shown.length}</span> shown</span><select id="finding-word" data-filter="finding-list" data-part="word" aria-label="Kind of finding"><option value="">all kinds</option>${[...SEVERITIES, 'unknown', 'accepted'].filter((word) => words.includes(word)).map((word) => markup`<option>${word}</option>`)}</select>${searchField('finding-list', 'Search findings')}</div>`,
    body: markup`<ul class="list" id="finding-list">${shown}</ul><p class="dim" data-none="finding-list" hidden>No finding has all these words.</p>`,
  });
}

function wordOf({ accepted, status, severity }: FindingGroup): string {
  if (accepted !== undefined) return 'accepted';
  return status === 'unknown' ? 'unknown' : severity;
}

export function renderFinding(group: FindingGroup): Html {
  const { rule, severity, status, message, fix, accepted, evidence, subjects } = group;
  const word = wordOf(group);
  const tone = accepted !== undefined ? 'mute' : status === 'unknown' ? 'doubt' : severityTone(severity);
  return markup`<li class="finding" data-word="${word}"><div>${tag(word, tone)}</div><div><p class="message">${message}</p><p class="rule">${rule}${word === severity ? NOTHING : `, ${severity}`}</p><dl><dt>${subjects[0]?.namespace === undefined ? 'Nodes' : 'Where'}</dt><dd>${renderSubjects(group)}</dd>${evidence.slice(0, MAX_EVIDENCE).map(({ source, value }) => markup`<dt>Evidence</dt><dd><code>${source}: ${value}</code></dd>`)}${fix === undefined ? NOTHING : markup`<dt>Fix</dt><dd class="fix">${fix}</dd>`}${accepted === undefined ? NOTHING : markup`<dt>Accepted</dt><dd>${accepted}</dd>`}</dl></div></li>
`;
}

function renderSubjects({ rule, message, subjects }: FindingGroup): Html {
  if (subjects[0]?.namespace === undefined) {
    const more = subjects.length - SHOWN_NODES;
    return markup`${subjectsText(subjects.slice(0, SHOWN_NODES))}${more > 0 ? markup` <span class="dim">and ${number(more)} more</span>` : NOTHING}`;
  }
  const others = subjects.slice(SHOWN_SUBJECTS);
  if (others.length === 0) return markup`${subjectsText(subjects)}`;
  const id = createHash('sha256').update(`${rule} ${message}`).digest('hex').slice(0, 12);
  return markup`${subjectsText(subjects.slice(0, SHOWN_SUBJECTS))}<details id="more-${id}"><summary>and ${number(others.length)} more</summary>${cut(subjectsText(others))}</details>`;
}

function cut(text: string): string {
  if (text.length <= MAX_SUBJECT_TEXT) return text;
  return `${text.slice(0, text.lastIndexOf(';', MAX_SUBJECT_TEXT))}; the others are in the JSON report`;
}

/** By namespace: `payments: Deployment/api (3 pods), Job/sync (1 pod); …` */
function subjectsText(subjects: readonly FindingSubjectLine[]): string {
  const byNamespace = Map.groupBy(subjects, ({ namespace }) => namespace);
  return [...byNamespace]
    .map(([namespace, own]) => {
      const names = own.map(({ name, pods }) => (namespace === undefined ? name : `${name} (${counted(pods, 'pod')})`));
      return `${namespace === undefined ? '' : `${namespace}: `}${names.join(', ')}`;
    })
    .join('; ');
}
