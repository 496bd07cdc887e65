import { shareOf } from '../cluster-overview.ts';
import { type DiffFinding, hasChanges, type ReportDiff } from '../report-diff.ts';
import { type Html, markup, NOTHING } from './html.ts';
import { counted, number, section, severityTone, tag, timeText } from './parts.ts';

const SHOWN = 50;

/** What differs from an earlier report. */
export function renderChanges(diff: ReportDiff): Html {
  const { before, adoption, newFindings, goneFindings, readiness, expiredExceptions, namespaces, uncertain } = diff;
  const share = (pods: { running: number; private: number }): string => `${Math.floor(shareOf(pods))} %`;
  const parts = [
    list('New findings', newFindings.length, newFindings.slice(0, SHOWN).map(finding)),
    list('No longer found', goneFindings.length, goneFindings.slice(0, SHOWN).map(finding)),
    list(
      'Readiness of nodes',
      readiness.length,
      readiness
        .slice(0, SHOWN)
        .map(
          ({ node, before: was = 'not there', after = 'not there', reasons }) =>
            markup`<li><b>${node}</b> ${was} → ${after}${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}</li>`,
        ),
    ),
    list(
      'Exceptions that expired',
      expiredExceptions.length,
      expiredExceptions.map((text) => markup`<li>${text}</li>`),
    ),
    list(
      'New namespaces',
      namespaces.added.length,
      namespaces.added.slice(0, SHOWN).map((name) => markup`<li>${name}</li>`),
    ),
    list(
      'Namespaces that are gone',
      namespaces.removed.length,
      namespaces.removed.slice(0, SHOWN).map((name) => markup`<li>${name}</li>`),
    ),
  ];
  return section({
    id: 'changes',
    title: `Since ${timeText(before)}`,
    note: `Adoption ${share(adoption.before)} → ${share(adoption.after)}: ${number(adoption.before.private)} of ${counted(adoption.before.running, 'pod')} then, ${number(adoption.after.private)} of ${number(adoption.after.running)} now.${uncertain.length > 0 ? ` Of ${counted(uncertain.length, 'namespace')} not every finding is listed: what seems new or gone there may not be.` : ''}`,
    body: hasChanges(diff)
      ? markup`<div class="cards">${parts}</div>`
      : markup`<p class="dim">Nothing else has changed.</p>`,
  });
}

function list(title: string, total: number, items: readonly Html[]): Html {
  if (total === 0) return NOTHING;
  const more = total - items.length;
  return markup`<div class="card"><h3>${title} <span class="dim">${number(total)}</span></h3><ul class="list">${items}${more > 0 ? markup`<li class="dim">and ${number(more)} more</li>` : NOTHING}</ul></div>`;
}

function finding({ rule, severity, status, subject }: DiffFinding): Html {
  const tone = status === 'unknown' ? 'doubt' : severityTone(severity);
  return markup`<li>${tag(status === 'unknown' ? 'unknown' : severity, tone)} ${rule} <span class="dim">${subject}</span></li>`;
}
