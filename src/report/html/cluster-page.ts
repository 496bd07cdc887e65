import type { ClusterReport } from '../cluster-report.ts';
import { type ClusterOverview, summarizeReport } from '../cluster-overview.ts';
import type { ReportDiff } from '../report-diff.ts';
import { renderChanges } from './change-section.ts';
import { renderFindings } from './finding-section.ts';
import { type Html, markup, join, NOTHING } from './html.ts';
import { renderNamespaces } from './namespace-section.ts';
import { renderNodes } from './node-section.ts';
import { renderBlockers, renderCharts, renderFloors, renderHeader, renderTiles } from './overview-sections.ts';
import { type Page, renderDocument } from './page.ts';
import { renderExceptions, renderProfiles } from './policy-sections.ts';

export interface ClusterPageOptions {
  /** What the report is about, in words: the name of the cluster, the filters. */
  readonly scope?: string;
  /** False where a part of the cluster was asked for. */
  readonly whole?: boolean;
  readonly diff?: ReportDiff;
  /** True where `/fragment` is served beside the page, which then keeps itself current. */
  readonly live?: boolean;
}

/** The report of a cluster as one page that asks for nothing from anywhere. */
export function renderPage(report: ClusterReport, options: ClusterPageOptions = {}): Page {
  const { live = false, scope = 'whole cluster' } = options;
  return renderDocument({ title: `userns-audit: ${scope}`, main: renderMain(report, options), live });
}

/** What changes of the page while it is open. */
export function renderFragment(report: ClusterReport, options: ClusterPageOptions = {}): string {
  return renderMain(report, options).text;
}

function renderMain(report: ClusterReport, options: ClusterPageOptions): Html {
  const { scope = 'whole cluster', whole = true, diff } = options;
  const overview = summarizeReport(report, whole);
  const sections: readonly (readonly [id: string, title: string, body: Html])[] = [
    ['changes', 'Changes', diff ? renderChanges(diff) : NOTHING],
    ['overview', 'Overview', renderCharts(report, overview)],
    ['floors', 'Floors', renderFloors(overview)],
    ['namespaces', 'Namespaces', renderNamespaces(report)],
    ['blockers', 'Blockers', renderBlockers(overview)],
    ['nodes', 'Nodes', renderNodes(overview)],
    ['findings', 'Findings', isEmpty(overview) ? NOTHING : renderFindings(overview)],
    ['exceptions', 'Exceptions', renderExceptions(overview)],
    ['profiles', 'Compliance', renderProfiles(report.policy?.status.profiles ?? [], overview.inconsistencies)],
  ];
  const present = sections.filter(([, , body]) => body.text !== '');
  return markup`${renderHeader(overview, scope)}<main id="main" tabindex="-1">
${isEmpty(overview) ? NOTHING : renderTiles(overview)}${
    present.length === 0
      ? NOTHING
      : markup`<nav aria-label="Parts of the report" data-part-id="nav"><ul>${present.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
`
  }${join(present.map(([, , body]) => body))}</main>
<footer data-part-id="footer"><p>An isolated pod runs in a user namespace of its own: it declares hostUsers: false, and the kernel agrees. Root inside it is nobody on the node. What nobody could see is unknown, and unknown is never counted as a pass.</p></footer>`;
}

function isEmpty({ nodes, pods, findings }: ClusterOverview): boolean {
  return nodes.total === 0 && pods.running === 0 && findings.length === 0;
}
