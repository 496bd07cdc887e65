import { createHash } from 'node:crypto';
import type { ClusterReport } from '../cluster-report.ts';

/** What a route is asked and answers: the shapes of src/http, which this folder does not know. */
export interface ReportRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface ReportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type ReportRoute = (request: ReportRequest) => Promise<ReportResponse>;

interface Rendered {
  readonly page: ReportResponse;
  readonly fragment: ReportResponse;
}

/**
 * The live page of a cluster: `/` is the page, `/fragment` what changes of it, `/report.json` the report. `getReport` is to hand out
 * the same object while nothing has changed: each object is rendered once. Code for drawing is loaded with the first page.
 */
export function reportRoutes(getReport: () => ClusterReport | undefined): Readonly<Record<string, ReportRoute>> {
  let latest: { readonly report: ClusterReport; readonly rendered: Promise<Rendered> } | undefined;
  let saved: { readonly report: ClusterReport; readonly response: ReportResponse } | undefined;

  async function rendered(): Promise<Rendered | undefined> {
    const report = getReport();
    if (report === undefined) return undefined;
    if (latest?.report !== report) latest = { report, rendered: render(report) };
    return latest.rendered;
  }

  return {
    '/': async (request) => unlessKnown(request, (await rendered())?.page),
    '/fragment': async (request) => unlessKnown(request, (await rendered())?.fragment),
    '/report.json': async (request) => {
      const report = getReport();
      if (report !== undefined && saved?.report !== report)
        saved = { report, response: tagged('application/json', `${JSON.stringify(report)}\n`) };
      return Promise.resolve(unlessKnown(request, report === undefined ? undefined : saved?.response));
    },
  };
}

async function render(report: ClusterReport): Promise<Rendered> {
  const { renderFragment, renderPage } = await import('./cluster-page.ts');
  const { html, contentSecurityPolicy } = renderPage(report, { live: true });
  return {
    page: tagged(HTML, html, { 'content-security-policy': contentSecurityPolicy }),
    fragment: tagged(HTML, renderFragment(report)),
  };
}

const HTML = 'text/html; charset=utf-8';

/** Kept by the browser to be asked for again by its tag, and by nobody between. */
function tagged(type: string, body: string, headers: Readonly<Record<string, string>> = {}): ReportResponse {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return {
    status: 200,
    headers: { 'content-type': type, 'cache-control': 'private, no-cache', etag, ...headers },
    body,
  };
}

function unlessKnown({ headers }: ReportRequest, response: ReportResponse | undefined): ReportResponse {
  if (!response) return { status: 503, headers: { 'retry-after': '5' }, body: 'nothing has been gathered yet\n' };
  const { etag = '' } = response.headers;
  const known = headers['if-none-match'];
  const tags = typeof known === 'string' ? known.split(',').map((tag) => tag.trim().replace(/^W\//, '')) : [];
  if (!tags.includes(etag)) return response;
  return { status: 304, headers: { etag, 'cache-control': 'private, no-cache' }, body: '' };
}
