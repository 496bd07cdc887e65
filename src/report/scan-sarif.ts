import type { Invocation, Location, Log, Notification, ReportingDescriptor, Result, Suppression } from 'sarif';
import type { Severity } from '../core/finding.ts';
import type { RuleMeta } from '../core/rule.ts';
import type { ManifestFinding, ManifestSubject, ScanProblem } from '../core/scan-finding.ts';
import type { Place } from '../core/workload.ts';
import { PROBLEM_TITLES, type ScanReport, subjectName } from './scan-report.ts';

/** Of our own name: `primaryLocationLineHash` is what GitHub's upload computes itself, and warns of where it differs. */
const FINGERPRINT = 'usernsAuditFingerprint/v1';

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};

/** GitHub reads a rule's severity from this number: above 9 critical, from 7 high, from 4 medium, else low. */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  info: '1.0',
};

/** The report as SARIF 2.1.0 with one run. */
export function renderScanSarif(report: ScanReport): string {
  return JSON.stringify(createScanSarif(report), undefined, 2);
}

export function createScanSarif(report: ScanReport): Log {
  const { result, version, rules } = report;
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  // A suppression on one result says that suppressions were looked for on all of them.
  const suppressible = result.findings.some(({ accepted }) => accepted !== undefined);
  const kinds = [...new Set(result.problems.map(({ kind }) => kind))].toSorted();
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'userns-audit',
            semanticVersion: version,
            rules: rules.map((rule) => ruleDescriptor(rule, severityOf(rule, result.findings))),
            ...(kinds.length > 0 ? { notifications: kinds.map(problemDescriptor) } : {}),
          },
        },
        automationDetails: { id: 'userns-audit/scan/' },
        columnKind: 'utf16CodeUnits',
        invocations: [invocation(report, kinds)],
        results: result.findings.map((finding) => toResult(finding, indexes, suppressible)),
      },
    ],
  };
}

/** A policy may weigh a rule differently than the catalogue: the worst that was found speaks for the rule. */
function severityOf({ id, severity }: RuleMeta, findings: readonly ManifestFinding[]): Severity {
  const found = new Set(findings.filter(({ rule }) => rule === id).map((finding) => finding.severity));
  return (Object.keys(LEVELS) as Severity[]).find((candidate) => found.has(candidate)) ?? severity;
}

function ruleDescriptor(rule: RuleMeta, severity: Severity): ReportingDescriptor {
  const { id, title, rationale, remediation, references } = rule;
  const text = [rationale, `Fix: ${remediation}`, `Sources: ${references.join('; ')}`].join('\n\n');
  const markdown = [
    rationale,
    `**Fix:** ${remediation}`,
    `**Sources**\n\n${references.map((reference) => `- ${reference}`).join('\n')}`,
  ].join('\n\n');
  const helpUri = references.find((reference) => /^https:\/\/\S+$/.test(reference));
  return {
    id,
    name: pascalCase(id),
    shortDescription: { text: `${title}.` },
    fullDescription: { text: rationale },
    help: { text, markdown },
    ...(helpUri === undefined ? {} : { helpUri }),
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      tags: ['security', 'kubernetes', 'user-namespaces'],
      precision: 'very-high',
      'security-severity': SECURITY_SEVERITY[severity],
    },
  };
}

function pascalCase(id: string): string {
  return id.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function problemDescriptor(kind: ScanProblem['kind']): ReportingDescriptor {
  const description = { text: `${PROBLEM_TITLES[kind]}.` };
  return {
    id: kind,
    shortDescription: description,
    fullDescription: description,
    help: { text: 'Mend it, leave it out with --exclude, or go on without its verdict with --allow-unparsable.' },
  };
}

const EXIT_CODES = {
  0: 'No finding at or above the floor.',
  1: 'Findings at or above the floor.',
  2: 'Something could not be judged.',
} as const;

function invocation({ result, exitCode }: ScanReport, kinds: readonly ScanProblem['kind'][]): Invocation {
  return {
    executionSuccessful: exitCode !== 2,
    exitCode,
    exitCodeDescription: EXIT_CODES[exitCode],
    ...(result.problems.length > 0
      ? { toolExecutionNotifications: result.problems.map((problem) => notification(problem, kinds)) }
      : {}),
  };
}

function notification({ kind, message, place, fatal }: ScanProblem, kinds: readonly string[]): Notification {
  return {
    descriptor: { id: kind, index: kinds.indexOf(kind) },
    level: fatal ? 'error' : 'warning',
    message: { text: message },
    locations: [{ physicalLocation: physicalLocation(place) }],
  };
}

function toResult(finding: ManifestFinding, indexes: ReadonlyMap<string, number>, suppressible: boolean): Result {
  const { rule, severity, message, fix, field, fingerprint, place, subject } = finding;
  const ruleIndex = indexes.get(rule);
  return {
    ruleId: rule,
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    level: LEVELS[severity],
    message: { text: `${subjectName(subject)}: ${message}${fix === undefined ? '' : `\nFix: ${fix}`}` },
    locations: [resultLocation(place, subject, field)],
    partialFingerprints: { [FINGERPRINT]: fingerprint },
    ...(suppressible ? { suppressions: suppressionsOf(finding) } : {}),
    properties: { severity, field },
  };
}

function suppressionsOf({ accepted }: ManifestFinding): Suppression[] {
  if (!accepted) return [];
  const { by, reason } = accepted;
  return [
    {
      kind: by === 'waiver' ? 'inSource' : 'external',
      status: 'accepted',
      justification: reason,
      properties: { acceptedBy: by },
    },
  ];
}

function resultLocation(place: Place, subject: ManifestSubject, field: string): Location {
  const { apiVersion, kind, namespace, name } = subject;
  return {
    physicalLocation: physicalLocation(place),
    logicalLocations: [
      {
        name: field,
        fullyQualifiedName: [apiVersion, kind, ...(namespace === undefined ? [] : [namespace]), name, field].join('/'),
        kind: 'member',
      },
    ],
  };
}

function physicalLocation({
  file,
  line,
  column,
  endLine,
  endColumn,
}: Place): NonNullable<Location['physicalLocation']> {
  return {
    artifactLocation: artifactLocation(file),
    region: { startLine: line, startColumn: column, endLine, endColumn },
  };
}

/** Relative to the directory of the call, which in a pipeline is the root of the repository. */
function artifactLocation(file: string): { readonly uri: string; readonly uriBaseId?: string } {
  const path = file.replaceAll('\\', '/').replace(/^(?:\.\/)+/, '');
  const uri = path.split('/').map(encodeSegment).join('/');
  return path.startsWith('/') ? { uri: `file://${uri}` } : { uri, uriBaseId: '%SRCROOT%' };
}

/** A colon in the first segment of a relative reference would read as a scheme. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed()).replaceAll('%40', '@').replaceAll('%2B', '+');
}
