import { ADOPTION_STANDINGS, type AdoptionStanding, type PlannedWorkload } from '../cluster/adoption-plan.ts';
import { escapeMarkdown, markdownCode, markdownTable } from './markdown.ts';
import { adoptionPath, percent, type PlanReport, STANDING_TITLES, totalsText } from './plan-report.ts';
import { placeText, splitProblems, subjectName } from './scan-report.ts';

/** The plan as a page for an issue or a wiki: a table for each standing. */
export function renderPlanMarkdown({ plan, problems }: PlanReport): string {
  const path = adoptionPath(plan);
  const unjudged = splitProblems(problems).unjudged;
  const blocks = [
    '## Plan: hostUsers: false',
    `**${totalsText(plan)}** (Kubernetes ${plan.target.major}.${plan.target.minor})`,
    path === undefined ? '' : `Adoption: ${path}.`,
    unjudged.length === 0
      ? ''
      : `### Not judged\n\n${markdownTable(
          ['Place', 'What'],
          unjudged.map(({ place, message }) => [markdownCode(placeText(place)), escapeMarkdown(message)]),
        )}`,
    ...ADOPTION_STANDINGS.map((standing) =>
      section(
        standing,
        plan.workloads.filter((planned) => planned.standing === standing),
      ),
    ),
  ];
  return `${blocks.filter(Boolean).join('\n\n')}\n`;
}

function section(standing: AdoptionStanding, members: readonly PlannedWorkload[]): string {
  if (members.length === 0) return '';
  const isStep = members.some(({ step }) => step !== undefined);
  const why = members.some(({ obstacles }) => obstacles.length > 0);
  const head = [
    ...(isStep ? ['Step'] : []),
    'Workload',
    'Place',
    ...(isStep ? ['Adoption'] : []),
    ...(why ? ['Why'] : []),
  ];
  const rows = members.map((planned) => [
    ...(isStep ? [String(planned.step ?? '')] : []),
    escapeMarkdown(subjectName(subjectOf(planned))),
    markdownCode(placeText(planned.workload.locate([]))),
    ...(isStep ? [planned.adoptionAfter === undefined ? '' : percent(planned.adoptionAfter)] : []),
    ...(why ? [reasons(planned)] : []),
  ]);
  return `### ${STANDING_TITLES[standing]}\n\n${markdownTable(head, rows)}`;
}

function subjectOf({ workload }: PlannedWorkload): Parameters<typeof subjectName>[0] {
  const { apiVersion, kind, namespace, name } = workload;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function reasons({ workload, obstacles }: PlannedWorkload): string {
  return obstacles
    .map(({ path, effect, message, remedy, reference }) => {
      const place = workload.locate(path);
      const link = effect === 'blocked' ? ` <${reference}>` : '';
      return `${effect}: ${markdownCode(`${workload.fieldName(path)} (line ${place.line})`)} ${escapeMarkdown(`${message}. ${remedy}`)}${link}`;
    })
    .join('<br>');
}
