// Every query of the dashboard, on a real Prometheus that has scraped what controller and agents say.
import type { Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentExposition, controllerExposition, serveMetrics, waitingExposition } from './exposition.ts';
import { type Prometheus, requirePrometheus, type Sample, startPrometheus } from './prometheus.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat?: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const FILE = join(import.meta.dirname, '../../charts/userns-audit/files/dashboard.json');
const dashboard = JSON.parse(readFileSync(FILE, 'utf8')) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ refId, expr, legendFormat = '' }) => [`${title} ${refId}`, expr, legendFormat] as const),
);

/** The queries that docs/metrics.md tells. */
const documented = [
  ...readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8').matchAll(
    /^\| ([^|]+) \| `([^`]*\(.*|[^`]* - [^`]*)` \|$/gm,
  ),
].map(([, question = '', query = '']) => [question, query.replaceAll('[5m]', '[1m]')] as const);

/** What Grafana puts in for "all". */
function filled(expression: string, chosen = '.*'): string {
  return expression.replaceAll('$cluster', chosen).replaceAll('$namespace', '.*').replaceAll('$__rate_interval', '1m');
}

const programs = requirePrometheus();
if ('skipped' in programs) console.warn(`skipped: ${programs.skipped}`);

('skipped' in programs ? describe.skip : describe)('every panel of the dashboard', () => {
  let prometheus: Prometheus | undefined;
  const servers: Server[] = [];
  const query = (expression: string): Promise<readonly Sample[]> => {
    if (!prometheus) throw new Error('Prometheus is not started');
    return prometheus.query(expression);
  };

  beforeAll(async () => {
    if ('skipped' in programs) return;
    const serve = async (render: () => Promise<string>): Promise<string> => {
      const { address, server } = await serveMetrics(render);
      servers.push(server);
      return address;
    };
    const labels = { cluster: 'one' };
    prometheus = await startPrometheus(programs, [
      {
        job: 'userns-audit-controller',
        targets: [
          { address: await serve(controllerExposition()), labels },
          { address: await serve(waitingExposition()), labels },
        ],
      },
      { job: 'userns-audit-agent', targets: [{ address: await serve(agentExposition()), labels }] },
    ]);
    // A rate needs two scrapes of every target.
    const end = Date.now() + 30_000;
    const scrapes = 'min(count_over_time(up[1m])) >= 3 and min(up) == 1';
    while ((await query(scrapes)).length === 0) {
      if (Date.now() > end) throw new Error('nothing is scraped');
      await sleep(100);
    }
  });

  afterAll(async () => {
    for (const server of servers) server.close().closeAllConnections();
    await prometheus?.stop();
  });

  test.each(queries)('returns data: %s', async (_, expr, legend) => {
    const samples = await query(filled(expr));
    expect(samples.length).toBeGreaterThan(0);
    for (const { value } of samples) expect(Number(value[1])).not.toBeNaN();
    for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g))
      for (const { metric } of samples) expect(metric).toHaveProperty(label);
  });

  test.each(queries.filter(([, expr]) => !expr.includes('vector(0)')))(
    'is of the chosen cluster: %s',
    async (_, expr) => {
      expect((await query(filled(expr, 'one'))).length).toBeGreaterThan(0);
      expect(await query(filled(expr, 'another'))).toEqual([]);
    },
  );

  test.each(documented)('answers what the documentation asks: %s', async (_, query_) => {
    expect((await query(query_)).length).toBeGreaterThan(0);
  });

  test('shows what is so', async () => {
    const value = async (title: string): Promise<readonly string[]> => {
      const [, expr = ''] = queries.find(([name]) => name === `${title} A`) ?? [];
      return (await query(filled(expr))).map(({ value: [, text] }) => text);
    };
    expect(await value('Declared, not effective')).toEqual(['1']);
    expect(await value('Overlapping ids')).toEqual(['2']);
    expect(await value('Unknown')).toEqual(['3']);
    expect(await value('Nodes not ready')).toEqual(['1']);
    expect(await value('Floors not met')).toEqual(['2']);
  });
});

describe('the dashboard', () => {
  test('is not all there is: the documentation has queries, too', () => {
    expect(documented.length).toBeGreaterThan(5);
  });

  test('has panels with a title, a description and the data source that is chosen', () => {
    for (const { title, description = '', datasource } of panels) {
      expect([title, description !== '']).toEqual([title, true]);
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
    }
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'cluster', 'namespace']);
  });

  test('lays no panel over another, and none beside the grid', () => {
    const taken = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
          taken.add(`${x} ${y}`);
        }
    }
  });
});
