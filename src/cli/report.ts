import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isAtLeastAsSevere, SEVERITIES } from '../core/finding.ts';
import { renderClusterMarkdown } from '../report/cluster-markdown.ts';
import { renderClusterOscal } from '../report/cluster-oscal.ts';
import { type ClusterOverview, summarizeReport } from '../report/cluster-overview.ts';
import { type ClusterReport, mergeClusterReports, parseClusterReport } from '../report/cluster-report.ts';
import { renderClusterTable } from '../report/cluster-table.ts';
import { filterReport, isWhole, type ReportScope } from '../report/filter-report.ts';
import { escapeControls } from '../report/json-text.ts';
import { diffReports, type ReportDiff } from '../report/report-diff.ts';
import { PROFILES } from '../rules/profiles/index.ts';
import type { ReportFlags } from './report-command.ts';
import type { Terminal } from './terminal.ts';
import { writeFileAtomic } from './write-file.ts';

/** `userns-audit report`: reads, filters, renders, and answers with the exit code. */
export async function report(files: readonly string[], flags: ReportFlags, terminal: Terminal): Promise<0 | 1 | 2> {
  try {
    const { diff: earlier, outputFile, failOn } = flags;
    const scope = scopeOf(flags);
    const current = filterReport(await gather(files, flags, terminal.cwd), scope);
    refuseEmpty(current, scope);
    const diff =
      earlier === undefined ? undefined : diffReports(filterReport(read(earlier, terminal.cwd), scope), current);
    const overview = summarizeReport(current, isWhole(scope));
    const text = await render({ report: current, overview, diff }, flags, terminal);
    if (outputFile === undefined) terminal.print(text.endsWith('\n') ? text : `${text}\n`);
    else write(resolve(terminal.cwd, outputFile), text);
    return failOn === 'never' ? 0 : exitCode(overview, failOn);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    terminal.tell(`error: ${error.message}\n`);
    return 2;
  }
}

function scopeOf({ namespace, node, profile }: ReportFlags): ReportScope {
  const chosen = PROFILES.find(({ id }) => id === profile);
  return {
    ...(namespace ? { namespaces: namespace } : {}),
    ...(node ? { nodes: node } : {}),
    ...(chosen ? { profile: chosen } : {}),
  };
}

/** A pattern that fits nothing is a slip, and must not end as if nothing were wrong. */
function refuseEmpty({ namespaces, nodes }: ClusterReport, scope: ReportScope): void {
  if (scope.namespaces && namespaces.length === 0)
    throw new Error(`option '--namespace ${scope.namespaces.join(',')}': the report has no such namespace`);
  if (scope.nodes && nodes.length === 0)
    throw new Error(`option '--node ${scope.nodes.join(',')}': the report has no such node`);
}

async function gather(files: readonly string[], flags: ReportFlags, cwd: string): Promise<ClusterReport> {
  const [first, ...others] = files.map((file) => read(file, cwd));
  if (first) return mergeClusterReports([first, ...others]);
  const { readCluster } = await import('./read-cluster.ts');
  return readCluster(flags, new Date());
}

function read(file: string, cwd: string): ClusterReport {
  const name = file === '-' ? 'standard input' : file;
  try {
    return parseClusterReport(JSON.parse(readFileSync(file === '-' ? 0 : resolve(cwd, file), 'utf8')));
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function write(path: string, text: string): void {
  try {
    writeFileAtomic(path, text);
  } catch (cause) {
    throw new Error(`option '--output-file': ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

interface Rendered {
  readonly report: ClusterReport;
  readonly overview: ClusterOverview;
  readonly diff: ReportDiff | undefined;
}

async function render(
  { report: current, overview, diff }: Rendered,
  flags: ReportFlags,
  terminal: Terminal,
): Promise<string> {
  const { output, outputFile } = flags;
  const changes = diff ? { diff } : {};
  const { inconsistencies } = overview;
  const differing = inconsistencies.length > 0 ? { inconsistencies } : {};
  switch (output) {
    case 'json':
      return `${escapeControls(JSON.stringify({ ...current, ...differing, ...changes }, undefined, 2))}\n`;
    case 'markdown':
      return renderClusterMarkdown(current, overview, diff);
    case 'html': {
      const { renderPage } = await import('../report/html/cluster-page.ts');
      return renderPage(current, { scope: scopeText(flags), whole: overview.whole, ...changes }).html;
    }
    case 'oscal':
      return renderClusterOscal(current, { system: flags.context ?? 'cluster', version: terminal.version });
    case 'table':
      return renderClusterTable(current, overview, {
        paint: outputFile === undefined ? terminal.paint : (_, text) => text,
        ...changes,
      });
  }
}

function scopeText({ context, namespace, node, profile }: ReportFlags): string {
  const filters = [
    ...(namespace ? [`namespaces ${namespace.join(', ')}`] : []),
    ...(node ? [`nodes ${node.join(', ')}`] : []),
    ...(profile === undefined ? [] : [`profile ${profile}`]),
  ];
  return [
    ...(context === undefined ? [] : [context]),
    filters.length === 0 ? 'whole cluster' : filters.join('; '),
  ].join(', ');
}

/** By the totals: lists may have been cut. What nobody can tell of does not pass. */
function exitCode(overview: ClusterOverview, failOn: Exclude<ReportFlags['failOn'], 'never'>): 0 | 1 | 2 {
  const { findingTotals, pods, nodes, findings } = overview;
  const severe = SEVERITIES.filter((severity) => isAtLeastAsSevere(severity, failOn));
  if (severe.some((severity) => findingTotals[severity] > 0)) return 1;
  const unjudged = findings.some(
    ({ status, accepted, severity }) => status === 'unknown' && accepted === undefined && severe.includes(severity),
  );
  return unjudged || pods.unknown > 0 || nodes.unknown > 0 || pods.running + nodes.total === 0 ? 2 : 0;
}
