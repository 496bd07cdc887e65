import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startServer } from '../../src/http/server.ts';
import type { ClusterReport } from '../../src/report/cluster-report.ts';
import { renderPage } from '../../src/report/html/cluster-page.ts';
import { renderNodePage } from '../../src/report/html/node-page.ts';
import { reportRoutes } from '../../src/report/html/report-routes.ts';
import { createNodeReport } from '../../src/report/node-report.ts';
import { missingChromium, startChromium } from '../support/chromium.ts';
import { EMPTY_REPORT, HOSTILE_NAMES, hostileReport, largeReport, MIXED_REPORT } from '../support/cluster-reports.ts';
import { factsOf } from '../support/host-tree.ts';

/** The pages in a real browser, opened as files and as served. Pictures for the docs: UPDATE_IMAGES=1. */

const IMAGES = join(import.meta.dirname, '../../docs/images');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const missing = missingChromium();
if (missing !== undefined) console.warn(`skipped: ${missing}`);
const inBrowser = missing === undefined ? describe : describe.skip;

interface Opened {
  readonly page: Page;
  /** What the console and the policy of the page had to say. */
  readonly complaints: readonly string[];
  /** Everything that was asked for besides the page. */
  readonly requests: readonly string[];
}

inBrowser('the report in a browser', () => {
  let browser: Browser;
  const directory = mkdtempSync(join(tmpdir(), 'userns-audit-page-'));

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(html: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const file = join(directory, 'page.html');
    writeFileSync(file, html);
    return visit(pathToFileURL(file).href, options);
  }

  async function visit(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:')) requests.push(request.url());
    });
    await page.goto(url);
    return { page, complaints, requests };
  }

  const column = (page: Page, table: string, index: number): Promise<string[]> =>
    page.locator(`#${table} tbody tr:visible > :nth-child(${index + 1})`).allTextContents();

  /** Runs beside the page, whose own policy would not let it in. */
  async function violations(page: Page): Promise<readonly string[]> {
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', { expression: AXE });
    const { result } = await session.send('Runtime.evaluate', {
      expression: `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 160) + ' ' + failureSummary)))`,
      awaitPromise: true,
      returnByValue: true,
    });
    return result.value as readonly string[];
  }

  describe.each([
    ['an empty cluster', EMPTY_REPORT],
    ['three nodes', MIXED_REPORT],
    ['5,000 nodes', largeReport(5000, 300)],
  ] as const)('%s', (_, report) => {
    const { html } = renderPage(report);

    test('asks for nothing and complains of nothing', async () => {
      const { page, complaints, requests } = await open(html);
      await page.waitForLoadState('load');
      expect(await page.locator('h1').innerText()).not.toBe('');
      expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
      await page.context().close();
    });

    test.each(['light', 'dark'] as const)('is accessible, %s', async (colorScheme) => {
      const { page } = await open(html, { colorScheme });
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    });
  });

  test('sorts by a click, and by the keyboard the other way', async () => {
    const { page } = await open(renderPage(MIXED_REPORT).html);
    expect(await column(page, 'namespace-table', 2)).toEqual(['42', '27', '15', '0']);
    await page.getByRole('button', { name: 'Namespace', exact: true }).click();
    expect(await column(page, 'namespace-table', 0)).toEqual(['legacy-shop', 'monitoring', 'payments', 'sandbox']);
    await page.keyboard.press('Enter');
    expect(await column(page, 'namespace-table', 0)).toEqual(['sandbox', 'payments', 'monitoring', 'legacy-shop']);
    expect(await page.locator('#namespace-table th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    expect(await page.locator('#said').textContent()).toBe('sorted by Namespace, descending');
    // Numbers as numbers, and no pods below none of them.
    await page.getByRole('button', { name: 'Adoption' }).click();
    expect(await column(page, 'namespace-table', 1)).toEqual(['71 %', '60 %', '0 %', 'no pods']);
    await page.context().close();
  });

  test('searches: a slash goes there, Escape empties', async () => {
    const { page } = await open(renderPage(MIXED_REPORT).html);
    await page.keyboard.press('/');
    await page.keyboard.type('PAY');
    expect(await column(page, 'namespace-table', 0)).toEqual(['payments']);
    expect(await page.locator('[data-count=namespace-table]').textContent()).toBe('1 of 4');
    await page.keyboard.type('xyz');
    expect(await page.getByText('No namespace has all these words.').isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await column(page, 'namespace-table', 0)).toHaveLength(4);
    await page.context().close();
  });

  test('findings: by kind, and those of a namespace', async () => {
    const { page } = await open(renderPage(MIXED_REPORT).html);
    const shown = page.locator('#finding-list > li:visible .rule');
    await page.getByLabel('Kind of finding').selectOption('critical');
    expect(await shown.allInnerTexts()).toEqual(['user-namespace-not-effective']);
    await page.getByRole('link', { name: 'legacy-shop' }).click();
    expect(await shown.allInnerTexts()).toEqual(['root-in-host-user-namespace', 'user-namespace']);
    expect(await page.getByLabel('Search findings').inputValue()).toBe('legacy-shop');
    await page.context().close();
  });

  test('one among 5,000 nodes and 300 namespaces is found by its name', async () => {
    const { page } = await open(renderPage(largeReport(5000, 300)).html);
    // Among the last of those that share the most frequent finding.
    const name = largeReport(5000, 300).namespaces.findLast(({ status }) =>
      status.findings?.some(({ rule }) => rule === 'user-namespace'),
    )?.name;
    await page.getByRole('link', { name: name ?? '', exact: true }).click();
    const rules = await page.locator('#finding-list > li:visible .rule').allInnerTexts();
    expect(rules).toContain('user-namespace');
    await page.getByLabel('Search nodes').fill('ip-10-0-13-37.');
    expect(await page.locator('#node-table tbody tr:visible').count()).toBe(1);
    await page.context().close();
  });

  test('is dark where that is liked', async () => {
    const ground = async (colorScheme: 'light' | 'dark'): Promise<string> => {
      const { page } = await open(renderPage(MIXED_REPORT).html, { colorScheme });
      const color = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      await page.context().close();
      return color;
    };
    expect(await ground('light')).toBe('rgb(255, 255, 255)');
    expect(await ground('dark')).toBe('rgb(16, 21, 28)');
  });

  test('on paper everything is unfolded, and nothing is left to click', async () => {
    const { page } = await open(renderPage(MIXED_REPORT).html, { colorScheme: 'dark' });
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: 718, height: 1000 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(718);
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await page.getByLabel('Search findings').isVisible()).toBe(false);
    await page.evaluate(`dispatchEvent(new Event('beforeprint'))`);
    expect(await page.locator('details:not([open])').count()).toBe(0);
    await page.evaluate(`dispatchEvent(new Event('afterprint'))`);
    expect(await page.locator('details[open]').count()).toBe(0);
    await page.context().close();
  });

  test('can be read without scripts', async () => {
    const { page } = await open(renderPage(MIXED_REPORT).html, { javaScriptEnabled: false });
    expect(await page.locator('#finding-list > li').count()).toBe(6);
    await page.context().close();
  });

  test.each(HOSTILE_NAMES)('%j is text wherever it stands', async (name) => {
    const { html } = renderPage(hostileReport(name), { scope: name });
    const { page, complaints, requests } = await open(html);
    expect(await page.locator('script').count()).toBe(1);
    expect(await page.locator('img, iframe, [onload], [onerror]').count()).toBe(0);
    expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
    await page.context().close();
  });

  describe('live', () => {
    let report: ClusterReport = MIXED_REPORT;

    async function serve(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
      const server = await startServer({
        listen: { host: '127.0.0.1', port: 0 },
        routes: reportRoutes(() => report),
        open: [],
      });
      return { url: `http://127.0.0.1:${server.port}/`, close: () => server.close() };
    }

    /** As when the reader comes back to the tab: the page looks at once. */
    const lookAgain = async (page: Page): Promise<void> => {
      const answer = page.waitForResponse((response) => response.url().endsWith('/fragment'));
      await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
      await answer;
    };

    test('news come without a reload, and the reader stays where he is', async () => {
      const twins = ['node-d', 'node-e', 'node-f'].map((name) => ({ ...MIXED_REPORT.nodes[1], name }));
      report = { ...MIXED_REPORT, nodes: [...MIXED_REPORT.nodes, ...twins.slice(0, 2)] as ClusterReport['nodes'] };
      const server = await serve();
      try {
        const { page, complaints } = await visit(server.url);
        await page.getByRole('button', { name: 'Namespace', exact: true }).click();
        await page.getByText('3 names').click();
        await page.locator('#namespace-table-search').fill('a');
        await lookAgain(page);
        const scrolled = await page.evaluate<number>('scrollY');
        const payments = MIXED_REPORT.namespaces.map((one) =>
          one.name === 'payments'
            ? {
                ...one,
                status: { ...one.status, pods: { ...one.status.pods, running: 50, private: 38 }, adoptionPercent: 76 },
              }
            : one,
        );
        report = {
          ...report,
          namespaces: payments,
          nodes: [...MIXED_REPORT.nodes, ...twins] as ClusterReport['nodes'],
        };
        await lookAgain(page);
        await page.getByText('76 %').waitFor();
        expect(await page.locator('h1').innerText()).toContain('92 running pods');
        expect(await column(page, 'namespace-table', 0)).toEqual(['legacy-shop', 'payments', 'sandbox']);
        expect(await page.locator('#namespace-table-search').inputValue()).toBe('a');
        expect(await page.evaluate('document.activeElement?.id')).toBe('namespace-table-search');
        expect(await page.locator('#names-of-node-b').getAttribute('open')).toBe('');
        expect(await page.locator('#names-of-node-b').getByText('node-b, node-d, node-e, node-f').isVisible()).toBe(
          true,
        );
        expect(await page.evaluate<number>('scrollY')).toBe(scrolled);
        expect(complaints).toEqual([]);
        await page.context().close();
      } finally {
        await server.close();
      }
    });

    test('says so when nobody answers', async () => {
      const server = await serve();
      const { page } = await visit(server.url);
      expect(await page.getByText('not current').isVisible()).toBe(false);
      await server.close();
      await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
      await page.getByText('not current').waitFor();
      await page.context().close();
    });
  });

  test('the page of a machine: accessible, quiet, and its names are text', async () => {
    const hostile = HOSTILE_NAMES[1];
    const facts = factsOf({ files: { '/etc/os-release': `ID=x\nPRETTY_NAME='${hostile}'\n` } });
    const { page, complaints, requests } = await open(
      renderNodePage(createNodeReport(facts), hostile, { live: false }).html,
    );
    expect(await page.locator('img').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
    await page.context().close();
  });

  const drawPictures = async (): Promise<void> => {
    mkdirSync(IMAGES, { recursive: true });
    const shots = [
      ['report-light', largeReport(400, 60), 'light', 1180],
      ['report-dark', MIXED_REPORT, 'dark', 1180],
    ] as const;
    for (const [name, report, colorScheme, height] of shots) {
      const { page } = await open(renderPage(report).html, { colorScheme, viewport: { width: 1280, height } });
      await page.screenshot({ path: join(IMAGES, `${name}.png`) });
      await page.context().close();
    }
  };
  // Not a test, so nothing is skipped where no pictures are wanted.
  if (process.env['UPDATE_IMAGES'] === '1') test('pictures for the docs', drawPictures);
});
