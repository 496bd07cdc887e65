// Loaded with the page of a cluster only: the library takes half a megabyte of code (docs/report.md).
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type EChartsCoreOption, type EChartsType, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { HistoryDay } from '../../resources/audit-policy.ts';
import { shareOf } from '../cluster-overview.ts';
import { type Html, trusted } from './html.ts';

use([BarChart, LineChart, GridComponent, SVGRenderer]);

/** Colors are properties of the page, so that one drawing serves light, dark and paper. */
const INK = 'var(--ink)';
const DIM = 'var(--dim)';
const LINE = 'var(--line)';

const axisText = { color: DIM, fontSize: 12 };

/** Adoption day by day, and beside it how many of the nodes can run private user namespaces. */
export function drawTrend(history: readonly HistoryDay[]): Html {
  const line = (color: string, data: readonly number[], dashed: boolean): object => ({
    type: 'line',
    data,
    showSymbol: data.length < 3,
    symbol: 'circle',
    symbolSize: 6,
    silent: true,
    lineStyle: { color, width: dashed ? 1.5 : 2.5, ...(dashed ? { type: [5, 4] } : {}) },
    itemStyle: { color },
    ...(dashed ? {} : { areaStyle: { color, opacity: 0.12 } }),
  });
  return draw('trend', 560, 220, {
    grid: { left: 44, right: 16, top: 14, bottom: 28 },
    xAxis: {
      type: 'category',
      boundaryGap: false,
      data: history.map(({ date }) => date),
      axisLabel: { ...axisText, interval: (index: number) => isLabeled(index, history.length), formatter: dayOf },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: LINE } },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max: 100,
      interval: 25,
      axisLabel: { ...axisText, formatter: '{value} %' },
      splitLine: { lineStyle: { color: LINE } },
    },
    series: [
      line(
        'var(--blue)',
        history.map(({ readyNodes, nodes }) => (nodes === 0 ? 0 : (100 * readyNodes) / nodes)),
        true,
      ),
      line('var(--good-fill)', history.map(shareOf), false),
    ],
  });
}

/** The first, the last, and three between: dates do not run into each other. */
function isLabeled(index: number, days: number): boolean {
  const step = Math.max(1, Math.ceil((days - 1) / 4));
  return index === days - 1 || (index % step === 0 && days - 1 - index >= step / 2);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `2026-11-24` as `24 Nov`. */
function dayOf(date: string): string {
  const [, month = '', day = ''] = /^\d{4}-(\d{2})-(\d{2})$/.exec(date) ?? [];
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? ''}`;
}

export interface StackedBar {
  readonly label: string;
  readonly parts: readonly { readonly color: string; readonly value: number }[];
}

const BAR_ROW = 30;

/** One bar a line, made of parts, the total at its end. */
export function drawBars(name: string, bars: readonly StackedBar[]): Html {
  const parts = bars[0]?.parts ?? [];
  const totals = bars.map((bar) => bar.parts.reduce((sum, { value }) => sum + value, 0));
  return draw(name, 560, bars.length * BAR_ROW + 12, {
    grid: { left: 172, right: 56, top: 2, bottom: 8 },
    xAxis: { type: 'value', show: false, max: Math.max(1, ...totals) },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ label }) => label),
      axisLabel: { color: INK, fontSize: 12, width: 160, overflow: 'truncate' },
      axisTick: { show: false },
      axisLine: { show: false },
    },
    series: parts.map(({ color }, part) => ({
      type: 'bar',
      stack: 'all',
      silent: true,
      barWidth: 14,
      itemStyle: { color },
      data: bars.map((bar) => bar.parts[part]?.value ?? 0),
      ...(part === parts.length - 1
        ? {
            label: {
              show: true,
              position: 'right',
              color: DIM,
              fontSize: 12,
              formatter: ({ dataIndex }: { dataIndex: number }) => String(totals[dataIndex] ?? ''),
            },
          }
        : {}),
    })),
  });
}

/** One for all drawings: each that is made and disposed of leaves 6 kB behind (measured with 6.1.0), and a controller draws for months. */
let canvas: EChartsType | undefined;

/** The last drawing of each name: most of what is news changes no chart. Formatters are not in the key; they follow from the data. */
const drawn = new Map<string, { readonly key: string; readonly svg: Html }>();

/**
 * Draws without a browser. What the library would write as inline style is left to the page's own, which the policy of the page
 * knows; identifiers are made the same every time, so that what has not changed reads the same.
 */
function draw(name: string, width: number, height: number, option: EChartsCoreOption): Html {
  const key = JSON.stringify([width, height, option]);
  const last = drawn.get(name);
  if (last?.key === key) return last.svg;
  const svg = drawAnew(name, width, height, option);
  drawn.set(name, { key, svg });
  return svg;
}

function drawAnew(name: string, width: number, height: number, option: EChartsCoreOption): Html {
  canvas ??= init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    canvas.resize({ width, height });
    canvas.setOption({ animation: false, ...option });
    const svg = canvas.renderToSVGString();
    return trusted(
      svg
        .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
        .replace(/ (?:style|class|xml:space|pointer-events|version|baseProfile|xmlns:xlink)="[^"]*"/g, '')
        .replace(/\bzr\d+-c(\d+)/g, `${name}-$1`)
        .replace(/^<svg width="\d+" height="\d+"/, '<svg aria-hidden="true" class="drawing"')
        .replace(/\n/g, ''),
    );
  } finally {
    canvas.clear();
    // It would wake sixty times a second for a movement that never comes, and keep the process alive.
    canvas.getZr().animation.stop();
  }
}
