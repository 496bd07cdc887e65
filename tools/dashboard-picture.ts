// Draws the content of the dashboard, docs/images/dashboard.png: every query of charts/userns-audit/files/dashboard.json is asked of
// a real Prometheus that holds a week of what the controller's and the agent's own code tells of an example cluster, and the
// answers are drawn by ECharts in Chromium. Grafana is not there.
// usage: node tools/dashboard-picture.ts [FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingChromium, startChromium } from '../test/support/chromium.ts';
import { type Prometheus, requirePrometheus, startPrometheus } from '../test/prometheus/prometheus.ts';
import { drawPanel, NOTHING, STYLE } from './dashboard-drawing.ts';
import { DASHBOARD_ROWS, type Panel } from './dashboard-panels.ts';
import { exampleWeek, STEP_MS, WEEK_END, WEEK_START } from './example-week.ts';

const ROOT = join(import.meta.dirname, '..');
const DASHBOARD = join(ROOT, 'charts/userns-audit/files/dashboard.json');
const PICTURE = join(ROOT, 'docs/images/dashboard.png');

/** Pixels: of the page without its margins, of a row of Grafana's grid, and between panels. */
const WIDTH = 1476;
const CELL = 23;
const GAP = 8;
const PADDING = { x: 22, y: 36 };

interface Placed {
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** What Grafana puts in where everything is chosen. */
function filled(expression: string): string {
  const rate = `${(4 * STEP_MS) / 60_000}m`;
  return expression.replaceAll('$cluster', '.*').replaceAll('$namespace', '.*').replaceAll('$__rate_interval', rate);
}

async function drawOne(prometheus: Prometheus, panel: Panel, width: number, height: number): Promise<string> {
  const expressions = panel.queries.map(({ expr }) => filled(expr));
  const overTime = panel.type === 'timeseries';
  const [from, to, step] = [WEEK_START / 1000, WEEK_END / 1000, STEP_MS / 1000];
  const samples = overTime ? [] : await Promise.all(expressions.map((one) => prometheus.query(one, to)));
  const series = overTime
    ? await Promise.all(expressions.map((one) => prometheus.queryRange(one, from, to, step)))
    : [];
  return drawPanel({ panel, width: width - PADDING.x, height: height - PADDING.y, samples, series });
}

/** The whole page, with every panel where the dashboard has it. */
async function drawPage(prometheus: Prometheus): Promise<string> {
  const { title, panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    readonly title: string;
    readonly panels: readonly Placed[];
  };
  const known = new Map(DASHBOARD_ROWS.flatMap((row) => row.panels).map((panel) => [panel.title, panel]));
  const column = WIDTH / 24;
  const parts: string[] = [];
  for (const { title: name, type, gridPos } of panels) {
    const [left, top] = [gridPos.x * column, gridPos.y * (CELL + GAP)];
    const [width, height] = [gridPos.w * column - GAP, gridPos.h * (CELL + GAP) - GAP];
    const panel = known.get(name);
    if (type === 'row') parts.push(`<h2 style="left:${left}px;top:${top}px">⌄ ${name}</h2>`);
    else if (panel) {
      const content = await drawOne(prometheus, panel, width, height);
      if (content === NOTHING) throw new Error(`the example has no data for the panel ${name}`);
      const box = `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
      parts.push(`<section style="${box}"><h3>${name}</h3>${content}</section>`);
    }
  }
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * (CELL + GAP);
  const variables = ['Data source', 'Cluster', 'Namespace'].map(
    (name, index) => `<span><i>${name}</i> ${index === 0 ? 'Prometheus' : 'All'}</span>`,
  );
  const note =
    'An example cluster, the last 7 days. Drawn from the queries by tools/dashboard-picture.ts, not by Grafana.';
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}</style>
<header><b>${title}</b>${variables.join('')}<em>${note}</em></header><main style="height:${bottom}px">${parts.join('\n')}</main>`;
}

async function main(file: string): Promise<void> {
  const programs = requirePrometheus();
  if ('skipped' in programs) throw new Error(programs.skipped);
  const missing = missingChromium();
  if (missing !== undefined) throw new Error(missing);
  const prometheus = await startPrometheus(programs, [], undefined, await exampleWeek());
  try {
    const html = await drawPage(prometheus);
    const browser = await startChromium();
    try {
      const page = await browser.newPage({ viewport: { width: 1500, height: 900 } });
      await page.setContent(html);
      writeFileSync(file, await page.screenshot({ fullPage: true }));
    } finally {
      await browser.close();
    }
  } finally {
    await prometheus.stop();
  }
}

await main(process.argv[2] ?? PICTURE);
// What prom-client measures of this process keeps it alive.
process.exit();
