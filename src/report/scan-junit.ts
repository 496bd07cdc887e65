import type { ManifestFinding, ScanProblem } from '../core/scan-finding.ts';
import {
  byPlace,
  isFailing,
  isOpen,
  placeText,
  plural,
  PROBLEM_TITLES,
  type ScanReport,
  subjectName,
} from './scan-report.ts';

interface Case {
  readonly kind: 'failure' | 'error' | 'skipped' | 'passed';
  readonly xml: string;
}

/**
 * JUnit XML: a suite a file, a case for each workload and rule with findings. It agrees with the exit code: what fails the run is a
 * failure, what could not be judged an error, what is accepted skipped, and what is below the floor a passed case with its
 * text as output.
 */
export function renderScanJUnit(report: ScanReport): string {
  const { result, failOn } = report;
  const files = Map.groupBy(byPlace([...result.problems, ...result.findings]), ({ place }) => place.file);
  const suites = [...files].map(([file, items]) => suite(file, casesOf(items, failOn)));
  // Jenkins takes a report without a test for a mistake of the pipeline.
  if (suites.length === 0) suites.push(suite('userns-audit', [cleanCase(report)]));
  const cases = suites.flatMap(({ cases: members }) => members);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="userns-audit scan" ${totals(cases)}>`,
    ...suites.map(({ xml }) => xml),
    '</testsuites>',
  ].join('\n');
}

function suite(file: string, cases: readonly Case[]): { readonly cases: readonly Case[]; readonly xml: string } {
  const lines = [
    `  <testsuite name="${escapeXml(file)}" ${totals(cases)} time="0">`,
    ...cases.map(({ xml }) => xml),
    '  </testsuite>',
  ];
  return { cases, xml: lines.join('\n') };
}

function totals(cases: readonly Case[]): string {
  const of = (kind: Case['kind']): number => cases.filter((entry) => entry.kind === kind).length;
  return `tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}" skipped="${of('skipped')}"`;
}

function casesOf(items: readonly (ManifestFinding | ScanProblem)[], failOn: ScanReport['failOn']): readonly Case[] {
  const findings = items.filter((item) => 'rule' in item);
  const problems = items.filter((item): item is ScanProblem => !('rule' in item));
  const groups = Map.groupBy(
    findings,
    ({ subject, rule }) => `${subject.apiVersion}\0${subjectName(subject)}\0${rule}`,
  );
  return [...problems.map(problemCase), ...[...groups.values()].flatMap((group) => findingCase(group, failOn))];
}

function problemCase({ kind, fatal, message, place }: ScanProblem): Case {
  const text = `${placeText(place)}: ${message}`;
  const content = fatal ? element('error', text, kind, message) : output(text);
  return testCase(fatal ? 'error' : 'passed', place.file, `${PROBLEM_TITLES[kind]}, line ${place.line}`, content);
}

/** Tools read at most one failure of a case, so all places of a rule in a workload stand in one. */
function findingCase(findings: readonly ManifestFinding[], failOn: ScanReport['failOn']): readonly Case[] {
  const [first] = findings;
  if (!first) return [];
  const name = `${subjectName(first.subject)}: ${first.rule}`;
  const open = findings.filter(isOpen);
  const failing = open.filter((finding) => isFailing(finding, failOn));
  const shown = failing.length > 0 ? failing : open.length > 0 ? open : findings;
  const text = shown.map(findingText).join('\n');
  const message = shown[0]?.message ?? '';
  if (failing.length > 0)
    return [testCase('failure', first.place.file, name, element('failure', text, first.rule, message))];
  if (open.length > 0) return [testCase('passed', first.place.file, name, output(text))];
  const reason = first.accepted ? `accepted by ${first.accepted.by}: ${first.accepted.reason}` : '';
  return [testCase('skipped', first.place.file, name, `<skipped message="${escapeXml(reason)}"/>`)];
}

function findingText({ place, severity, message, field, fix }: ManifestFinding): string {
  const head = `${placeText(place)} ${severity.toUpperCase()} ${field}: ${message}`;
  return fix === undefined ? head : `${head}\n  fix: ${fix}`;
}

function cleanCase({ result: { totals: seen } }: ScanReport): Case {
  const name = `${plural(seen.workloads, 'workload')} in ${plural(seen.files, 'file')}`;
  return testCase('passed', 'userns-audit', name, undefined);
}

function testCase(kind: Case['kind'], file: string, name: string, content: string | undefined): Case {
  const head = `    <testcase classname="${escapeXml(file)}" name="${escapeXml(name)}" file="${escapeXml(file)}" time="0"`;
  return { kind, xml: content === undefined ? `${head}/>` : `${head}>\n      ${content}\n    </testcase>` };
}

function element(tag: 'failure' | 'error', text: string, type: string, message: string): string {
  return `<${tag} type="${escapeXml(type)}" message="${escapeXml(message)}">${escapeXml(text, true)}</${tag}>`;
}

function output(text: string): string {
  return `<system-out>${escapeXml(text, true)}</system-out>`;
}

/** XML 1.0 has no way to write most control characters, lone surrogates and two noncharacters, so they become U+FFFD. */
function escapeXml(text: string, lines = false): string {
  const safe = text
    .toWellFormed()
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;');
  return lines ? safe : safe.replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
