import type { AdoptionObstacle } from '../cluster/adoption-obstacles.ts';
import { ADOPTION_STANDINGS, type AdoptionStanding, type PlannedWorkload } from '../cluster/adoption-plan.ts';
import { printable } from '../core/text.ts';
import type { ScanProblem } from '../core/scan-finding.ts';
import type { Workload } from '../core/workload.ts';
import { columns } from './columns.ts';
import type { Paint, Style } from './paint.ts';
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
import { placeText, splitProblems } from './scan-report.ts';

const EFFECT_STYLES: Readonly<Record<AdoptionObstacle['effect'], Style>> = {
  change: 'doubt',
  unknown: 'doubt',
  blocked: 'bad',
};

/** The plan for people: where adoption stands and can go, then the steps, then what stops the rest. */
export function renderPlanText(report: PlanReport, paint: Paint): string {
  const { plan } = report;
  const path = adoptionPath(plan);
  const { major, minor } = plan.target;
  const ifNodes = nodesText(plan);
  const inFiles = plan.workloads.some(({ workload }) => planPlace(workload) !== '');
  const head = [
    `${paint('strong', 'PLAN')}    ${paint('strong', totalsText(plan))} (Kubernetes ${major}.${minor})`,
    ...(path === undefined ? [] : [`${paint('dim', 'adopt  ')} ${path}`]),
    ...(ifNodes === undefined ? [] : [`${paint('dim', 'nodes  ')} ${ifNodes}`]),
    ...(plan.totals.ready > 0 && report.patches.size === 0
      ? [
          `${paint('dim', 'next   ')} --patch DIR writes a patch for each${inFiles ? ', userns-audit fix edits the files' : ''}`,
        ]
      : []),
  ];
  const { unjudged, remarks } = splitProblems(report.problems);
  const blocks = [
    head,
    problemBlock('NOT JUDGED', unjudged, paint),
    ...ADOPTION_STANDINGS.map((standing) => standingBlock(standing, report, paint)),
    exceptionBlock(report, paint),
    problemBlock('REMARKS', remarks, paint),
  ].filter((block) => block.length > 0);
  return blocks.map((block) => block.join('\n')).join('\n\n');
}

function problemBlock(title: string, problems: readonly ScanProblem[], paint: Paint): readonly string[] {
  if (problems.length === 0) return [];
  const lines = problems.map(({ place, message }) => `  ${printable(placeText(place))}  ${printable(message, 600)}`);
  return [paint('heading', title), ...lines];
}

function exceptionBlock({ exceptions }: PlanReport, paint: Paint): readonly string[] {
  if (exceptions.length === 0) return [];
  const rows = exceptions.map((exception) => [
    '',
    exception.state,
    printable(exception.rules.join(', ')),
    exceptionText(exception),
    printable(exception.reason, 600),
  ]);
  return [paint('heading', 'EXCEPTIONS'), columns(rows)];
}

function standingBlock(standing: AdoptionStanding, { plan }: PlanReport, paint: Paint): readonly string[] {
  const members = plan.workloads.filter((planned) => planned.standing === standing);
  if (members.length === 0) return [];
  const rows = columns(members.map((planned) => row(planned, paint))).split('\n');
  const lines = members.flatMap((planned, index) => [
    rows[index] ?? '',
    ...(planned.accepted ?? []).map(
      (accepted) => `       ${paint('dim', 'accepted')} ${printable(acceptanceText(accepted), 600)}`,
    ),
    ...planned.obstacles.map((obstacle) => obstacleLine(obstacle, planned.workload, paint)),
  ]);
  return [paint('heading', STANDING_TITLES[standing]), ...lines];
}

function row({ workload, step, adoptionAfter, hosts }: PlannedWorkload, paint: Paint): readonly string[] {
  const { kind, namespace, name } = workload;
  return [
    step === undefined ? '-' : String(step),
    paint('strong', printable(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`)),
    adoptionAfter === undefined ? '' : percent(adoptionAfter),
    printable(planPlace(workload)),
    hostsText(hosts),
  ];
}

function obstacleLine(obstacle: AdoptionObstacle, workload: Workload, paint: Paint): string {
  const { effect, path, message, remedy, reference } = obstacle;
  const place = printable(`${planPlace(workload, path)} ${workload.fieldName(path)}`.trim());
  const why = effect === 'blocked' ? ` ${paint('dim', reference)}` : '';
  return `       ${paint(EFFECT_STYLES[effect], effect.padEnd(7))} ${place}\n               ${printable(message, 600)}. ${printable(remedy, 600)}${why}`;
}
