import type { AdoptionObstacle } from '../cluster/adoption-obstacles.ts';
import type { AdoptionPlan, AdoptionStanding, PlannedWorkload } from '../cluster/adoption-plan.ts';
import type { ManifestSubject, ScanProblem } from '../core/scan-finding.ts';
import type { Place } from '../core/workload.ts';
import type { PlanReport } from './plan-report.ts';

/** What `userns-audit plan -o json` prints: docs/schema/plan-v1.json. Fields are added in v1, never renamed or removed. */
export interface PlanDocument {
  readonly apiVersion: 'userns-audit.dev/v1';
  readonly kind: 'AdoptionPlan';
  readonly version: string;
  /** `1.36` */
  readonly kubernetesVersion: string;
  readonly totals: AdoptionPlan['totals'];
  readonly adoption?: NonNullable<AdoptionPlan['adoption']>;
  readonly workloads: readonly PlannedDocument[];
  readonly exceptions: PlanReport['exceptions'];
  readonly problems: readonly ScanProblem[];
}

interface PlannedDocument extends Pick<PlannedWorkload, 'step' | 'adoptionAfter' | 'pods' | 'hosts' | 'accepted'> {
  readonly subject: ManifestSubject;
  readonly standing: AdoptionStanding;
  readonly place: Place;
  readonly obstacles: readonly (Omit<AdoptionObstacle, 'path'> & { readonly field: string; readonly place: Place })[];
  /** File of the patch, where one was written. */
  readonly patch?: string;
}

export function createPlanDocument({ version, plan, problems, exceptions, patches }: PlanReport): PlanDocument {
  const { target, totals, adoption } = plan;
  return {
    apiVersion: 'userns-audit.dev/v1',
    kind: 'AdoptionPlan',
    version,
    kubernetesVersion: `${target.major}.${target.minor}`,
    totals,
    ...(adoption ? { adoption } : {}),
    workloads: plan.workloads.map((planned) => createPlannedDocument(planned, patches.get(planned.workload))),
    exceptions,
    problems,
  };
}

function createPlannedDocument(
  { workload, standing, obstacles, ...rest }: PlannedWorkload,
  patch: string | undefined,
): PlannedDocument {
  const { apiVersion, kind, namespace, name } = workload;
  return {
    ...rest,
    subject: { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name },
    standing,
    place: workload.locate([]),
    obstacles: obstacles.map(({ path, ...obstacle }) => ({
      ...obstacle,
      field: workload.fieldName(path),
      place: workload.locate(path),
    })),
    ...(patch === undefined ? {} : { patch }),
  };
}

export function renderPlanJson(report: PlanReport): string {
  return JSON.stringify(createPlanDocument(report), undefined, 2);
}
