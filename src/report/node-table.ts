import { printable } from '../core/text.ts';
import { columns } from './columns.ts';
import { containerRows } from './container-rows.ts';
import { findingLines } from './finding-lines.ts';
import { kernelRows, runtimeRows } from './node-rows.ts';
import type { NodeReport } from './node-report.ts';
import type { Paint, Style } from './paint.ts';

export interface TableOptions {
  /** Also what passed, the evidence of each finding, and more columns. */
  readonly wide: boolean;
  readonly paint: Paint;
}

const VERDICT_STYLE: Readonly<Record<NodeReport['readiness']['status'], Style>> = {
  READY: 'good',
  'NOT READY': 'bad',
  UNKNOWN: 'doubt',
};

/** The report for people: the verdict and why, the kernel, the runtime, every container, then what to do. */
export function renderNodeTable(report: NodeReport, options: TableOptions): string {
  const { paint } = options;
  const section = (title: string, body: string): readonly string[] => ['', paint('heading', title), body];
  const { total, rows } = containerRows(report, options);
  return [
    ...verdictLines(report, paint),
    ...section('KERNEL', columns(kernelRows(report, paint))),
    ...section('RUNTIME', columns(runtimeRows(report, paint))),
    ...section(total, rows),
    ...section('FINDINGS', findingLines(report, options).join('\n')),
    '',
  ].join('\n');
}

function verdictLines({ readiness, facts }: NodeReport, paint: Paint): readonly string[] {
  const { status, engine, reasons } = readiness;
  const style = VERDICT_STYLE[status];
  const { osRelease, kernelRelease, sight } = facts;
  const os = osRelease.ok ? osRelease.value.prettyName : 'unknown distribution';
  const kernel = kernelRelease.ok ? `Linux ${kernelRelease.value.raw}` : 'kernel release unknown';
  const what = {
    READY: `${subject(engine)} can run private user namespaces`,
    'NOT READY': `${subject(engine)} can not run private user namespaces`,
    UNKNOWN: `whether ${subject(engine)} can run private user namespaces is not known`,
  }[status];
  return [
    `${paint(style, status)}  ${paint('strong', what)}`,
    ...reasons.map(
      ({ message, rule }) => `  ${paint(style, '•')} ${printable(message, 600)} ${paint('dim', `(${rule})`)}`,
    ),
    paint('dim', `  ${printable(`${os}, ${kernel}`)}`),
    ...sight.reasons.map((reason) => `  ${paint('doubt', 'limited sight:')} ${reason}`),
  ];
}

function subject(engine: NodeReport['readiness']['engine']): string {
  return engine === 'none' ? 'this machine' : `${engine} on this machine`;
}
