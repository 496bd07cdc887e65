import type { PlannedException } from '../cluster/adoption-acceptance.ts';
import type { Acceptance } from '../cluster/adoption-evidence.ts';
import type { NodeCounts } from '../cluster/adoption-nodes.ts';
import { type AdoptionPlan, stays, type AdoptionStanding, type PlannedWorkload } from '../cluster/adoption-plan.ts';
import type { ScanProblem } from '../core/scan-finding.ts';
import type { FieldPath, Workload } from '../core/workload.ts';
import { count, placeText, plural } from './scan-report.ts';

/** A plan as every output format gets it. */
export interface PlanReport {
  /** Version of userns-audit. */
  readonly version: string;
  readonly plan: AdoptionPlan;
  /** Of the inputs: what is fatal could not be judged. */
  readonly problems: readonly ScanProblem[];
  /** The exceptions of the policy that name a rule of the plan. */
  readonly exceptions: readonly PlannedException[];
  /** The patches that were written, by workload. */
  readonly patches: ReadonlyMap<PlannedWorkload['workload'], string>;
}

export const STANDING_TITLES: Readonly<Record<AdoptionStanding, string>> = {
  ready: 'READY NOW: add hostUsers: false',
  change: 'READY AFTER A CHANGE',
  unknown: 'UNKNOWN: evidence is missing',
  blocked: 'BLOCKED',
  adopted: 'HAVE IT',
  'not-applicable': 'NOT COUNTED: no user namespace to adopt',
};

/** `33.3%`; never rounded up, for 100% means all. */
export function percent(share: number): string {
  return `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)}%`;
}

/** `3 of 12 workloads are ready now, 2 after a change, 1 unknown, 5 blocked, 1 has it` */
export function totalsText({ totals, workloads }: AdoptionPlan): string {
  const all = workloads.length - totals['not-applicable'];
  const accepted = workloads.filter(stays).length;
  return [
    `${count(totals.ready)} of ${plural(all, 'workload')} ready now`,
    ...(totals.change > 0 ? [`${count(totals.change)} after a change`] : []),
    ...(totals.unknown > 0 ? [`${count(totals.unknown)} unknown`] : []),
    ...(totals.blocked > 0 ? [`${count(totals.blocked)} blocked`] : []),
    ...(totals.adopted > 0 ? [`${count(totals.adopted)} ${totals.adopted === 1 ? 'has' : 'have'} it`] : []),
    ...(accepted > 0 ? [`${count(accepted)} accepted as ${accepted === 1 ? 'it is' : 'they are'}`] : []),
    ...(totals['not-applicable'] > 0 ? [`${count(totals['not-applicable'])} not counted`] : []),
  ].join(', ');
}

/** `8.3% now, 33.3% with what is ready, 50.0% with the changes`; undefined where there is nothing to count. */
export function adoptionPath({ adoption, totals }: AdoptionPlan): string | undefined {
  if (adoption === undefined) return undefined;
  return [
    `${percent(adoption.now)} now`,
    ...(totals.ready > 0 ? [`${percent(adoption.withReady)} with what is ready`] : []),
    ...(totals.change > 0 ? [`${percent(adoption.withChanges)} with the changes`] : []),
  ].join(', ');
}

/** `12 more are ready, if the nodes are`; undefined where nobody lacks evidence of nodes alone. */
export function nodesText({ workloads }: AdoptionPlan): string | undefined {
  const waiting = workloads.filter(
    ({ standing, obstacles }) => standing === 'unknown' && obstacles.every(({ cause }) => cause === 'nodes'),
  ).length;
  if (waiting === 0) return undefined;
  return `${plural(waiting, 'more workload')} ${waiting === 1 ? 'is' : 'are'} ready, if the nodes are: nothing else is unknown`;
}

/** `apps/shop.yaml:12:7`; empty for an object of a cluster, which stands in no file. */
export function planPlace(workload: Workload, path: FieldPath = []): string {
  const place = workload.locate(path);
  return place.line === 0 ? '' : placeText(place);
}

/** `3 of 5 nodes ready`; empty where no node is known. */
export function hostsText(hosts: NodeCounts | undefined): string {
  if (hosts === undefined) return '';
  const all = hosts.ready + hosts['not-ready'] + hosts.unknown;
  return `${count(hosts.ready)} of ${plural(all, 'node')} ready`;
}

/** `user-namespace by exception until 2027-03-31 (ends soon): the vendor ships a fix in May` */
export function acceptanceText({ rule, by, reason, expires, expiring }: Acceptance): string {
  const until = expires === undefined ? '' : ` until ${expires}${expiring ? ' (ends soon)' : ''}`;
  return `${rule} by ${by}${until}: ${reason}`;
}

/** `2 findings, until 2027-03-31` */
export function exceptionText({ matched, expires }: PlannedException): string {
  return `${plural(matched, 'finding')}${expires === undefined ? '' : `, until ${expires}`}`;
}
