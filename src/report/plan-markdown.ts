import type { ScanProblem } from '../core/scan-finding.ts';
import { ADOPTION_STANDINGS, type AdoptionStanding, type PlannedWorkload } from '../cluster/adoption-plan.ts';
import { escapeMarkdown, markdownCode, markdownTable } from './markdown.ts';
import {
  acceptanceText,
  adoptionPath,
  exceptionText,
  hostsText,
  nodesText,
  percent,
  planPlace,
  type PlanReport,
  STANDING_TITLES,
  totalsText,
} from './plan-report.ts';
import { placeText, splitProblems, subjectName } from './scan-report.ts';

/** The plan as a page for an issue or a wiki: a table for each standing. */
export function renderPlanMarkdown({ plan, problems, exceptions }: PlanReport): string {
  const path = adoptionPath(plan);
  const ifNodes = nodesText(plan);
  const { unjudged, remarks } = splitProblems(problems);
  const blocks = [
    '## Plan: hostUsers: false',
    `**${totalsText(plan)}** (Kubernetes ${plan.target.major}.${plan.target.minor})`,
    path === undefined ? '' : `Adoption: ${path}.`,
    ifNodes === undefined ? '' : `${ifNodes}.`,
    problemTable('Not judged', unjudged),
    ...ADOPTION_STANDINGS.map((standing) =>
      section(
        standing,
        plan.workloads.filter((planned) => planned.standing === standing),
      ),
    ),
    exceptions.length === 0
      ? ''
      : `### EXCEPTIONS\n\n${markdownTable(
          ['State', 'Rules', 'Used', 'Reason'],
          exceptions.map((exception) => [
            exception.state,
            escapeMarkdown(exception.rules.join(', ')),
            exceptionText(exception),
            escapeMarkdown(exception.reason),
          ]),
        )}`,
    problemTable('Remarks', remarks),
  ];
  return `${blocks.filter(Boolean).join('\n\n')}\n`;
}

function problemTable(title: string, problems: readonly ScanProblem[]): string {
  if (problems.length === 0) return '';
  const rows = problems.map(({ place, message }) => [markdownCode(placeText(place)), escapeMarkdown(message)]);
  return `### ${title}\n\n${markdownTable(['Place', 'What'], rows)}`;
}

function section(standing: AdoptionStanding, members: readonly PlannedWorkload[]): string {
  if (members.length === 0) return '';
  const isStep = members.some(({ step }) => step !== undefined);
  const why = members.some(({ obstacles, accepted }) => obstacles.length > 0 || accepted !== undefined);
  const inFiles = members.some(({ workload }) => planPlace(workload) !== '');
  const onNodes = members.some(({ hosts }) => hosts !== undefined);
  const head = [
    ...(isStep ? ['Step'] : []),
    'Workload',
    ...(inFiles ? ['Place'] : []),
    ...(onNodes ? ['Nodes'] : []),
    ...(isStep ? ['Adoption'] : []),
    ...(why ? ['Why'] : []),
  ];
  const rows = members.map((planned) => [
    ...(isStep ? [String(planned.step ?? '')] : []),
    escapeMarkdown(subjectName(subjectOf(planned))),
    ...(inFiles ? [markdownCode(planPlace(planned.workload))] : []),
    ...(onNodes ? [hostsText(planned.hosts)] : []),
    ...(isStep ? [planned.adoptionAfter === undefined ? '' : percent(planned.adoptionAfter)] : []),
    ...(why ? [reasons(planned)] : []),
  ]);
  return `### ${STANDING_TITLES[standing]}\n\n${markdownTable(head, rows)}`;
}

function subjectOf({ workload }: PlannedWorkload): Parameters<typeof subjectName>[0] {
  const { apiVersion, kind, namespace, name } = workload;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function reasons({ workload, obstacles, accepted = [] }: PlannedWorkload): string {
  return [
    ...accepted.map((one) => `accepted: ${escapeMarkdown(acceptanceText(one))}`),
    ...obstacles.map(({ path, effect, message, remedy, reference }) => {
      const { line } = workload.locate(path);
      const field = `${workload.fieldName(path)}${line === 0 ? '' : ` (line ${line})`}`;
      const link = effect === 'blocked' ? ` <${reference}>` : '';
      return `${effect}: ${markdownCode(field)} ${escapeMarkdown(`${message}. ${remedy}`)}${link}`;
    }),
  ].join('<br>');
}
