import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { renderFragment, renderPage } from '../../src/report/html/cluster-page.ts';
import { escapeHtml, markup } from '../../src/report/html/html.ts';
import { reportRoutes } from '../../src/report/html/report-routes.ts';
import { diffReports } from '../../src/report/report-diff.ts';
import {
  EMPTY_REPORT,
  HOSTILE_NAMES,
  hostileReport,
  INCONSISTENT_REPORT,
  largeReport,
  MIXED_REPORT,
} from '../support/cluster-reports.ts';

describe('a template', () => {
  test('escapes texts and keeps markup', () => {
    const cells = ['<b>', `"'&`].map((text) => markup`<td>${text}</td>`);
    expect(markup`<tr>${cells}${undefined}${0}</tr>`.text).toBe(
      '<tr><td>&lt;b&gt;</td><td>&quot;&#39;&amp;</td>0</tr>',
    );
  });

  test('characters that deceive are seen', () => {
    for (const code of [
      0x00, 0x1b, 0x7f, 0x9b, 0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069,
      0xfeff,
    ])
      expect(escapeHtml(`a${String.fromCharCode(code)}b`)).toBe('a\ufffdb');
    expect(escapeHtml('\ud800')).toBe('\ufffd');
    expect(escapeHtml('Größe 名前 🙂\n')).toBe('Größe 名前 🙂\n');
  });
});

describe('the page', () => {
  test('has a policy that names its one style and its one script', () => {
    const { html: page, contentSecurityPolicy } = renderPage(MIXED_REPORT);
    const hash = (tag: string): string => {
      const [, text = ''] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page) ?? [];
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    };
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<style/g)).toHaveLength(1);
    expect(contentSecurityPolicy).toBe(
      `default-src 'none'; style-src ${hash('style')}; script-src ${hash('script')}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    const [, own = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    expect(`${own.replaceAll('&#39;', "'")}; frame-ancestors 'none'`).toBe(contentSecurityPolicy);
    expect(renderPage(MIXED_REPORT, { live: true }).contentSecurityPolicy).toContain("connect-src 'self'");
  });

  test('has nothing a policy would refuse, and no address but within itself', () => {
    const { html: page } = renderPage(MIXED_REPORT);
    expect(page).not.toMatch(/ style=| on[a-z]+=|javascript:/);
    expect(
      [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, to = '']) => to).filter((to) => !/^(?:#|data:)/.test(to)),
    ).toEqual([]);
  });

  test('says on how many nodes somebody has looked, and calls what they do not answer unknown', () => {
    const page = renderPage(MIXED_REPORT).html;
    expect(page).toContain('as seen on 2 of 3 nodes.');
    const [, row = ''] = /no agent has reported([\s\S]*?)<\/tr>/.exec(page) ?? [];
    expect(row.match(/unseen">unknown</g)).toHaveLength(9);
  });

  test('does not count an inconsistent control as one that fails', () => {
    expect(renderPage(INCONSISTENT_REPORT).html).toContain('<span class="dim">1 inconsistent</span>');
  });

  test('is below 1 MB for 5,000 nodes and 300 namespaces, whatever the seed', () => {
    for (const seed of [1, 2, 3])
      expect(Buffer.byteLength(renderPage(largeReport(5000, 300, seed)).html)).toBeLessThan(1_000_000);
  });

  test('is below 1 MB when no two findings and no two nodes are alike, and says what it leaves out', () => {
    const report = largeReport(5000, 300);
    let count = 0;
    const { html: page } = renderPage({
      ...report,
      namespaces: report.namespaces.map(({ name, status }) => ({
        name,
        status: {
          ...status,
          findings: (status.findings ?? []).map((finding) => ({
            ...finding,
            message: `${count++} ${'x'.repeat(1000)}`,
          })),
        },
      })),
      nodes: report.nodes.map(({ name, status }) => ({
        name,
        status: status.system ? { ...status, system: { ...status.system, kernelRelease: `6.8.${count++}` } } : status,
      })),
    });
    expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
    expect(page).toMatch(/[\d,]+ nodes are left out of this page/);
    expect(page).toMatch(/[\d,]+ milder ones are left out of this page/);
  });

  test('names every node and every namespace of the large cluster', () => {
    const report = largeReport(5000, 300);
    const { html: page } = renderPage(report);
    for (const { name } of [...report.nodes, ...report.namespaces])
      if (!page.includes(name)) throw new Error(`${name} is missing`);
  });

  test('says what is not known, and never that it is ready', () => {
    const { html: page } = renderPage({ ...EMPTY_REPORT, nodes: [{ name: 'node-x', status: {} }] });
    expect(page).toContain('no agent has reported');
    expect(page).not.toContain('class="tag good"');
    expect(renderPage(EMPTY_REPORT).html).toContain('Nothing has been audited yet');
  });

  test('tells the difference to an earlier report', () => {
    const { html: page } = renderPage(MIXED_REPORT, { diff: diffReports(EMPTY_REPORT, MIXED_REPORT) });
    expect(page).toContain('New findings');
    expect(page).toContain('<b>node-b</b> not there → NotReady');
  });

  test.each(HOSTILE_NAMES)('%j is escaped wherever it stands', (name) => {
    const { html: page } = renderPage(hostileReport(name), {
      scope: name,
      diff: diffReports(EMPTY_REPORT, hostileReport(name)),
    });
    expect(page).not.toMatch(/<(?:img|svg onload)|alert\(1\)<\/script>|[\u202e\u2066\0\x1b]/);
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<\/script/g)).toHaveLength(1);
  });
});

describe('the live page', () => {
  const request = { headers: {} };

  test('what has not changed is told by its tag alone', async () => {
    let report = MIXED_REPORT;
    const routes = reportRoutes(() => report);
    for (const path of ['/', '/fragment', '/report.json']) {
      const first = await routes[path]?.(request);
      const tag = first?.headers['etag'] ?? '';
      expect(first?.status).toBe(200);
      expect(await routes[path]?.({ headers: { 'if-none-match': `"other", W/${tag}` } })).toMatchObject({
        status: 304,
        body: '',
      });
      report = { ...report, generatedAt: '2026-11-24T11:00:00Z' };
      expect(await routes[path]?.({ headers: { 'if-none-match': tag } })).toMatchObject({ status: 200 });
      report = MIXED_REPORT;
    }
  });

  test('the same report makes the same page, so that its tag holds', () => {
    expect(renderFragment(MIXED_REPORT)).toBe(renderFragment(structuredClone(MIXED_REPORT)));
  });

  test('one that asks before there is anything is told to come again', async () => {
    const routes = reportRoutes(() => undefined);
    for (const path of ['/', '/fragment', '/report.json'])
      expect(await routes[path]?.(request)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  });

  test('/report.json is the report', async () => {
    const { body = '' } = (await reportRoutes(() => MIXED_REPORT)['/report.json']?.(request)) ?? {};
    expect(JSON.parse(body)).toEqual(MIXED_REPORT);
  });
});
