import { compileGlob, type Glob } from '../core/exception-glob.ts';
import { type Profile, rulesOfProfile } from '../core/profile.ts';
import type { AuditPolicyStatus } from '../resources/audit-policy.ts';
import type { ClusterReport } from './cluster-report.ts';

/** The part of a cluster a reader wants to see. */
export interface ReportScope {
  /** Globs. */
  readonly namespaces?: readonly string[];
  /** Globs. */
  readonly nodes?: readonly string[];
  /** Only its rules and controls. */
  readonly profile?: Profile;
}

/** True when nothing was left out that totals of the whole cluster rest on. */
export function isWhole({ namespaces, nodes, profile }: ReportScope): boolean {
  return namespaces === undefined && nodes === undefined && profile === undefined;
}

/** The part of a report that a reader asked for. Pod counts stay whole whatever the profile: it chooses rules, not pods. */
export function filterReport(report: ClusterReport, { namespaces, nodes, profile }: ReportScope): ClusterReport {
  const ofNamespaces = globsOf(namespaces);
  const ofNodes = globsOf(nodes);
  const isPart = namespaces !== undefined || nodes !== undefined;
  const chosen: ClusterReport = {
    ...report,
    policy: isPart ? withoutCompliance(report.policy) : report.policy,
    namespaces: report.namespaces.filter(({ name }) => ofNamespaces(name)),
    nodes: report.nodes.filter(({ name }) => ofNodes(name)),
  };
  return profile === undefined ? chosen : withRulesOf(chosen, profile);
}

/** The controller judges controls for the whole cluster: of a part they would say what is not known. */
function withoutCompliance(policy: ClusterReport['policy']): ClusterReport['policy'] {
  if (!policy) return undefined;
  return { ...policy, status: omitProfiles(policy.status) };
}

function omitProfiles(status: AuditPolicyStatus): AuditPolicyStatus {
  return Object.fromEntries(Object.entries(status).filter(([field]) => field !== 'profiles'));
}

function withRulesOf(report: ClusterReport, profile: Profile): ClusterReport {
  const rules = new Set(rulesOfProfile(profile));
  const { policy } = report;
  return {
    ...report,
    policy: policy && {
      ...policy,
      status: {
        ...policy.status,
        ...(policy.status.profiles ? { profiles: policy.status.profiles.filter(({ id }) => id === profile.id) } : {}),
      },
    },
    namespaces: report.namespaces.map(({ name, status }) => {
      const findings = (status.findings ?? []).filter(({ rule }) => rules.has(rule));
      const findingTotals = { critical: 0, high: 0, medium: 0, low: 0, info: 0, accepted: 0 };
      for (const { status: answer, severity, accepted } of findings)
        if (answer === 'fail') findingTotals[accepted === undefined ? severity : 'accepted'] += 1;
      return { name, status: { ...status, findings, findingTotals } };
    }),
    nodes: report.nodes.map(({ name, status }) => ({
      name,
      status: { ...status, rules: (status.rules ?? []).filter(({ rule }) => rules.has(rule)) },
    })),
  };
}

function globsOf(patterns: readonly string[] | undefined): Glob {
  const globs = patterns?.map(compileGlob);
  return (name) => globs === undefined || globs.some((glob) => glob(name));
}
