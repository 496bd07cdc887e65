import type { ManifestFinding, ScanProblem } from '../core/scan-finding.ts';
import type { Place } from '../core/workload.ts';
import { isFailing, isOpen, PROBLEM_TITLES, type ScanReport, subjectName } from './scan-report.ts';

type Level = 'error' | 'warning' | 'notice';

/**
 * Workflow commands that GitHub Actions turns into annotations of the changed lines. It shows ten errors, ten warnings and ten
 * notices a step, so the worst come first.
 */
export function renderScanGitHub({ result, failOn }: ScanReport): string {
  const problems = result.problems.toSorted((a, b) => Number(b.fatal) - Number(a.fatal)).map(problemCommand);
  const findings = result.findings
    .filter(isOpen)
    .map((finding) => ({ finding, level: levelOf(finding, failOn) }))
    .toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level))
    .map(({ finding, level }) => findingCommand(finding, level));
  return [...problems, ...findings].join('\n');
}

const LEVELS: readonly Level[] = ['error', 'warning', 'notice'];

function levelOf(finding: ManifestFinding, failOn: ScanReport['failOn']): Level {
  if (isFailing(finding, failOn)) return 'error';
  return finding.severity === 'low' || finding.severity === 'info' ? 'notice' : 'warning';
}

function findingCommand({ rule, severity, subject, message, fix, place }: ManifestFinding, level: Level): string {
  const text = `${subjectName(subject)}: ${message}${fix === undefined ? '' : `\nFix: ${fix}`}`;
  return command(level, place, `${rule} (${severity})`, text);
}

function problemCommand({ kind, fatal, message, place }: ScanProblem): string {
  return command(fatal ? 'error' : 'warning', place, PROBLEM_TITLES[kind], message);
}

function command(level: Level, place: Place, title: string, message: string): string {
  const { file, line, column, endLine, endColumn } = place;
  const properties = {
    file,
    line,
    // GitHub refuses columns of an annotation that spans several lines.
    ...(endLine === line ? { col: column, endColumn } : { endLine }),
    title,
  };
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  return `::${level} ${list.join(',')}::${escapeData(message)}`;
}

/** As @actions/core does it; the log of a job would carry out other control characters. */
function escapeData(text: string): string {
  const safe = text.toWellFormed().replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, ' ');
  return safe.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
