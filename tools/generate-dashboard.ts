// Grafana's dashboard of the chart: panels laid out in rows and written as JSON.
import { DASHBOARD_ROWS, type Panel } from './dashboard-panels.ts';

/** Columns of Grafana's grid. */
const GRID = 24;

/** The dashboard's file: what the chart puts into a ConfigMap, and what can be imported by hand. */
export function renderDashboard(): string {
  const panels: unknown[] = [];
  let top = 0;
  let id = 0;
  for (const { title, panels: inRow } of DASHBOARD_ROWS) {
    panels.push({
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y: top, w: GRID, h: 1 },
      panels: [],
    });
    top += 1;
    let left = 0;
    let lowest = top;
    for (const panel of inRow) {
      if (left + panel.width > GRID) {
        left = 0;
        top = lowest;
      }
      panels.push(renderPanel(panel, ++id, { x: left, y: top, w: panel.width, h: panel.height }));
      left += panel.width;
      lowest = Math.max(lowest, top + panel.height);
    }
    top = lowest;
  }
  return `${JSON.stringify({ ...FRAME, panels }, undefined, 2)}\n`;
}

function renderPanel(panel: Panel, id: number, gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>): unknown {
  const { type, title, description, queries, unit = 'short', steps, max } = panel;
  const instant = type !== 'timeseries';
  return {
    ...{ id, type, title, description, gridPos, datasource: DATASOURCE },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      ...(legend === undefined ? {} : { legendFormat: legend }),
      ...(instant ? { instant: true, range: false } : { instant: false, range: true }),
      ...(type === 'table' ? { format: 'table' } : {}),
    })),
    fieldConfig: {
      defaults: {
        ...{ unit, min: type === 'table' ? undefined : 0, max },
        ...(steps
          ? {
              color: { mode: 'thresholds' },
              thresholds: { mode: 'absolute', steps: steps.map(([color, value]) => ({ color, value })) },
            }
          : { color: { mode: 'palette-classic' } }),
        ...(panel.stacked === true ? { custom: { stacking: { mode: 'normal', group: 'A' }, fillOpacity: 40 } } : {}),
      },
      overrides: Object.entries(panel.colors ?? {}).map(([name, color]) => ({
        matcher: { id: 'byName', options: name },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
      })),
    },
    options: OPTIONS[type],
    ...(type === 'table'
      ? { transformations: [{ id: 'organize', options: { excludeByName: { Time: true, __name__: true } } }] }
      : {}),
  };
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const REDUCE = { calcs: ['lastNotNull'], fields: '', values: false };
const SIZES = { sizing: 'auto', minVizWidth: 8, minVizHeight: 16 };
const LEGEND = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] };

/** All that Grafana's schema asks for, and what differs from its defaults (checked by test/grafana). */
const OPTIONS: Readonly<Record<Panel['type'], unknown>> = {
  stat: {
    ...{ reduceOptions: REDUCE, colorMode: 'background', graphMode: 'area', textMode: 'auto', justifyMode: 'auto' },
    ...{ orientation: 'auto', wideLayout: true, showPercentChange: false, percentChangeColorMode: 'standard' },
  },
  gauge: {
    ...{ reduceOptions: REDUCE, orientation: 'auto', showThresholdMarkers: true, showThresholdLabels: false },
    ...{ ...SIZES, minVizWidth: 75, minVizHeight: 75 },
  },
  bargauge: {
    ...{ reduceOptions: REDUCE, orientation: 'horizontal', displayMode: 'gradient', valueMode: 'color' },
    ...{ ...SIZES, maxVizHeight: 40, namePlacement: 'auto', showUnfilled: true },
    legend: { ...LEGEND, showLegend: false },
  },
  piechart: {
    ...{ reduceOptions: REDUCE, orientation: 'auto', pieType: 'donut', tooltip: { mode: 'single', sort: 'none' } },
    legend: { ...LEGEND, displayMode: 'table', placement: 'right', values: ['value'] },
  },
  table: { showHeader: true, cellHeight: 'sm', frameIndex: 0 },
  timeseries: { legend: LEGEND, tooltip: { mode: 'multi', sort: 'desc' } },
};

function variable(name: string, label: string, query: string): unknown {
  return {
    ...{ name, label, type: 'query', datasource: DATASOURCE, query: { query, refId: name }, definition: query },
    ...{ refresh: 2, sort: 1, multi: true, includeAll: true, allValue: '.*' },
    current: { text: ['All'], value: ['$__all'] },
  };
}

const FRAME = {
  uid: 'userns-audit',
  title: 'User namespaces',
  description:
    'Which nodes can run pods in user namespaces of their own, which pods do, and whether it is really in force.',
  tags: ['userns-audit', 'security'],
  schemaVersion: 39,
  version: 1,
  editable: true,
  timezone: 'browser',
  refresh: '1m',
  time: { from: 'now-24h', to: 'now' },
  graphTooltip: 1,
  annotations: { list: [] },
  links: [],
  templating: {
    list: [
      {
        name: 'datasource',
        label: 'Data source',
        type: 'datasource',
        query: 'prometheus',
        refresh: 1,
        includeAll: false,
      },
      variable('cluster', 'Cluster', 'label_values(userns_audit_build_info, cluster)'),
      variable('namespace', 'Namespace', 'label_values(userns_audit_pods{cluster=~"$cluster"}, namespace)'),
    ],
  },
};
