// Panels of the dashboard as a page: nearly what Grafana would show, by the same queries, units and thresholds.
import { init } from 'echarts';
import type { Sample, Series } from '../test/prometheus/prometheus.ts';
import type { Panel } from './dashboard-panels.ts';

/** What the queries of a panel have returned: values at the end, or over the time. */
export interface PanelData {
  readonly panel: Panel;
  readonly width: number;
  readonly height: number;
  readonly samples: readonly (readonly Sample[])[];
  readonly series: readonly (readonly Series[])[];
}

const COLORS = ['#73bf69', '#5794f2', '#f2cc0c', '#ff9830', '#f2495c', '#b877d9', '#8ab8ff', '#96d98d', '#ffb357'];
const NAMED: Readonly<Record<string, string>> = {
  green: '#73bf69',
  orange: '#ff9830',
  red: '#f2495c',
  gray: '#6e7078',
  blue: '#5794f2',
  purple: '#b877d9',
  yellow: '#f2cc0c',
};
const INK = '#ccccdc';
const DIM = '#8e8e99';
const LINE = '#2c2f36';
/** What a panel without data shows. */
export const NOTHING = '<p class="nothing">No data</p>';

export function drawPanel(data: PanelData): string {
  switch (data.panel.type) {
    case 'timeseries':
      return drawTime(data);
    case 'stat':
      return drawStat(data);
    case 'bargauge':
      return drawBars(data);
    case 'table':
      return drawTable(data);
    case 'piechart':
      return drawPie(data);
    case 'gauge':
      return drawGauge(data);
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A number as Grafana writes it in a unit. */
export function inUnit(value: number, unit: string | undefined): string {
  const short = (number: number): string => String(Number(number.toPrecision(3)));
  if (unit === 'percentunit') return `${short(value * 100)}%`;
  if (unit === 'bytes') return value < 1024 ? `${short(value)} B` : `${short(value / 2 ** 20)} MiB`;
  if (unit !== 's') return short(value);
  const seconds = Math.abs(value);
  if (seconds === 0) return '0 s';
  if (seconds >= 86_400 * 14) return `${short(value / 86_400 / 7)} weeks`;
  if (seconds >= 86_400) return `${short(value / 86_400)} days`;
  if (seconds >= 3600) return `${short(value / 3600)} hours`;
  if (seconds >= 60) return `${short(value / 60)} mins`;
  return seconds < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
}

function legendOf({ panel }: PanelData, query: number, labels: Readonly<Record<string, string>>): string {
  const legend = panel.queries[query]?.legend;
  return legend === undefined
    ? panel.title
    : legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
}

function colorOf({ steps }: Panel, value: number, index: number): string {
  if (!steps) return COLORS[index % COLORS.length] ?? INK;
  const [color] = steps.findLast(([, from]) => from === null || value >= from) ?? ['green'];
  return NAMED[color] ?? color;
}

/** The color of a series: its own, or the next of the palette. */
function seriesColor({ colors = {} }: Panel, name: string, index: number): string {
  const own = colors[name];
  return (own === undefined ? undefined : NAMED[own]) ?? COLORS[index % COLORS.length] ?? INK;
}

interface Named {
  readonly name: string;
  readonly value: number;
}

function lastValues(data: PanelData): readonly Named[] {
  return data.samples.flatMap((samples, query) =>
    samples.map(({ metric, value }) => ({ name: legendOf(data, query, metric), value: Number(value[1]) })),
  );
}

function drawStat(data: PanelData): string {
  const values = lastValues(data);
  if (values.length === 0) return NOTHING;
  const named = data.panel.queries.some(({ legend }) => legend !== undefined);
  // A series of 1 by a label: what is told is the label.
  const isWord = data.panel.queries.length === 1 && named;
  const cells = values.map(({ name, value }, index) => {
    const color = isWord ? COLORS[0] : colorOf(data.panel, value, index);
    const text = isWord ? name : inUnit(value, data.panel.unit);
    return `<div class="stat" style="background:${color ?? ''}">${named && !isWord ? `<small>${escaped(name)}</small>` : ''}${escaped(text)}</div>`;
  });
  return `<div class="stats">${cells.join('')}</div>`;
}

function drawBars(data: PanelData): string {
  const values = lastValues(data);
  if (values.length === 0) return NOTHING;
  const top = data.panel.max ?? Math.max(1, ...values.map(({ value }) => value));
  const rows = values.map(({ name, value }, index) => {
    const color = data.panel.steps ? colorOf(data.panel, value, index) : seriesColor(data.panel, name, index);
    const share = Math.max(0, Math.min(100, (100 * value) / top));
    return `<tr><td>${escaped(name)}</td><td class="bar"><i style="width:${share}%;background:${color}"></i></td><td style="color:${color}">${inUnit(value, data.panel.unit)}</td></tr>`;
  });
  return `<table class="bars">${rows.join('')}</table>`;
}

const HIDDEN = new Set(['__name__', 'cluster', 'instance', 'job']);

function drawTable({ panel, samples }: PanelData): string {
  const rows = samples.flat();
  if (rows.length === 0) return NOTHING;
  const labels = [...new Set(rows.flatMap(({ metric }) => Object.keys(metric)))].filter((name) => !HIDDEN.has(name));
  const head = [...labels, 'Value'].map((name) => `<th>${escaped(name)}</th>`).join('');
  const lines = rows.map(({ metric, value }) => {
    const cells = [...labels.map((name) => metric[name] ?? ''), inUnit(Number(value[1]), panel.unit)];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  return `<table class="rows"><tr>${head}</tr>${lines.join('')}</table>`;
}

function drawTime(data: PanelData): string {
  const { panel, width, height } = data;
  const series = data.series.flatMap((found, query) =>
    found.map(({ metric, values }) => ({ name: legendOf(data, query, metric), values })),
  );
  if (series.length === 0) return NOTHING;
  const color = (index: number): string => seriesColor(panel, series[index]?.name ?? '', index);
  // One that is not there adds nothing to a stack.
  const times = [...new Set(series.flatMap(({ values }) => values.map(([time]) => time)))].toSorted((a, b) => a - b);
  const dataOf = (values: Series['values']): readonly (readonly [time: number, value: number])[] => {
    if (panel.stacked !== true) return values.map(([time, value]) => [time * 1000, Number(value)]);
    const known = new Map(values);
    return times.map((time) => [time * 1000, Number(known.get(time) ?? 0)]);
  };
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height: height - 22 });
  const max = panel.max === undefined ? {} : { max: panel.max };
  chart.setOption({
    animation: false,
    grid: { left: 70, right: 12, top: 8, bottom: 22 },
    xAxis: {
      type: 'time',
      axisLabel: { color: DIM, fontSize: 11, formatter: '{MM}/{dd}', hideOverlap: true },
      axisLine: { lineStyle: { color: LINE } },
    },
    yAxis: {
      ...{ type: 'value', min: 0, ...max, splitNumber: 4 },
      axisLabel: { color: DIM, fontSize: 11, formatter: (value: number) => inUnit(value, panel.unit) },
      splitLine: { lineStyle: { color: LINE } },
    },
    series: series.map(({ name, values }, index) => ({
      ...{ type: 'line', name, showSymbol: false, silent: true },
      data: dataOf(values),
      lineStyle: { width: 1.4, color: color(index) },
      itemStyle: { color: color(index) },
      ...(panel.stacked === true ? { stack: 'all', areaStyle: { color: color(index), opacity: 0.4 } } : {}),
    })),
  });
  const keys = series.map(
    ({ name }, index) => `<span><i style="background:${color(index)}"></i>${escaped(name)}</span>`,
  );
  return `${chart.renderToSVGString()}<div class="keys">${keys.join('')}</div>`;
}

function drawPie(data: PanelData): string {
  const { width, height } = data;
  const values = lastValues(data);
  if (values.length === 0) return NOTHING;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: width / 2, height });
  chart.setOption({
    animation: false,
    color: values.map(({ name }, index) => seriesColor(data.panel, name, index)),
    series: [
      {
        ...{ type: 'pie', radius: ['48%', '78%'], label: { show: false }, silent: true },
        data: values.map(({ name, value }) => ({ name, value })),
      },
    ],
  });
  const rows = values.map(
    ({ name, value }, index) =>
      `<tr><td><i style="background:${seriesColor(data.panel, name, index)}"></i>${escaped(name)}</td><td>${inUnit(value, data.panel.unit)}</td></tr>`,
  );
  return `<div class="pie">${chart.renderToSVGString()}<table class="legend">${rows.join('')}</table></div>`;
}

function drawGauge(data: PanelData): string {
  const { panel, width, height } = data;
  const [first] = lastValues(data);
  if (!first) return NOTHING;
  const { value } = first;
  const steps = panel.steps ?? [];
  const max = panel.max ?? 1;
  const bands = steps.map(([color], index) => [(steps[index + 1]?.[1] ?? max) / max, NAMED[color] ?? color]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  const color = colorOf(panel, value, 0);
  chart.setOption({
    animation: false,
    series: [
      {
        ...{ type: 'gauge', min: 0, max, startAngle: 200, endAngle: -20, center: ['50%', '64%'], radius: '96%' },
        ...{
          pointer: { show: false },
          axisTick: { show: false },
          splitLine: { show: false },
          axisLabel: { show: false },
        },
        progress: { show: true, width: 20, itemStyle: { color } },
        axisLine: { lineStyle: { width: 4, color: bands } },
        detail: {
          color,
          fontSize: 30,
          fontWeight: 500,
          offsetCenter: [0, '-6%'],
          formatter: () => inUnit(value, panel.unit),
        },
        data: [{ value }],
      },
    ],
  });
  return chart.renderToSVGString();
}

export const STYLE = `
* { box-sizing: border-box; margin: 0 }
body { background: #111217; color: ${INK}; font: 13px/1.4 Inter, "DejaVu Sans", "Liberation Sans", sans-serif; padding: 12px; width: 1500px }
header { display: flex; gap: 10px; align-items: baseline; padding: 2px 4px 12px }
header b { font-size: 18px; font-weight: 500; margin-right: 12px }
header span { background: #181b1f; border: 1px solid ${LINE}; border-radius: 3px; padding: 2px 8px; color: ${INK} }
header span i { color: #6e9fff; font-style: normal }
header em { margin-left: auto; color: ${DIM}; font-style: normal }
main { position: relative }
section { position: absolute; background: #181b1f; border: 1px solid ${LINE}; border-radius: 3px; padding: 6px 10px; overflow: hidden }
section > h3 { font-size: 13px; font-weight: 500; height: 22px; white-space: nowrap }
h2 { position: absolute; font-size: 15px; font-weight: 500; padding-top: 8px }
.nothing { color: ${DIM}; text-align: center; padding-top: 20px }
.stats { display: flex; gap: 6px; height: calc(100% - 24px) }
.stat { flex: 1; display: grid; place-content: center; text-align: center; font-size: 34px; font-weight: 600; color: #fff; border-radius: 3px }
.stat small { font-size: 14px; font-weight: 400 }
table { width: 100%; border-collapse: collapse }
td, th { text-align: left; padding: 3px 6px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
th { color: #6e9fff; font-weight: 500 }
.rows td, .rows th { border-bottom: 1px solid ${LINE} }
.rows td:last-child, .rows th:last-child, .bars td:last-child { text-align: right }
.bars td:first-child { width: 1% }
.bars .bar { padding: 3px 2px }
.bars .bar i { display: block; height: 18px; border-radius: 2px; min-width: 2px }
.bars td:last-child { width: 1%; font-weight: 600 }
.keys { display: flex; flex-wrap: nowrap; gap: 12px; height: 20px; overflow: hidden; color: ${INK}; font-size: 12px; white-space: nowrap }
.keys i, .legend i { display: inline-block; width: 12px; height: 4px; border-radius: 2px; margin-right: 5px; vertical-align: middle }
.pie { display: flex; align-items: center }
.legend { width: auto }
`;
