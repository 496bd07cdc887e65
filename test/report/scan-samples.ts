import type { ManifestFinding, ScanProblem, ScanResult } from '../../src/core/scan-finding.ts';
import type { RuleMeta } from '../../src/core/rule.ts';
import { scanExitCode, type ScanReport } from '../../src/report/scan-report.ts';

/** Reports made by hand: the formats are pure functions of them. */

export const SAMPLE_RULES: readonly RuleMeta[] = [
  {
    id: 'host-pid-namespace',
    title: 'The pod has its own PID namespace',
    severity: 'high',
    rationale: 'With the host’s PID namespace a container sees and signals every process.',
    remediation: 'Drop hostPID: true.',
    references: ['CIS Kubernetes 5.2.3', 'https://kubernetes.io/docs/concepts/security/pod-security-standards/'],
  },
  {
    id: 'user-namespace',
    title: 'The pod runs in its own user namespace',
    severity: 'medium',
    rationale: 'Root in the container is then not root on the node.',
    remediation: 'Set hostUsers: false.',
    references: ['https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/'],
  },
];

export function sampleFinding(change: Partial<ManifestFinding> = {}): ManifestFinding {
  return {
    rule: 'host-pid-namespace',
    severity: 'high',
    subject: { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system', name: 'agent' },
    message: "shares the host's PID namespace",
    fix: 'Drop hostPID: true.',
    field: 'spec.template.spec.hostPID',
    place: { file: 'deploy/agent.yaml', line: 12, column: 7, endLine: 12, endColumn: 20 },
    fingerprint: 'a'.repeat(64),
    ...change,
  };
}

export function sampleProblem(change: Partial<ScanProblem> = {}): ScanProblem {
  return {
    kind: 'unparsable',
    message: 'bad indentation of a mapping entry',
    place: { file: 'deploy/broken.yaml', line: 3, column: 1, endLine: 3, endColumn: 1 },
    fatal: true,
    ...change,
  };
}

export function sampleReport(result: Partial<ScanResult> = {}, change: Partial<ScanReport> = {}): ScanReport {
  const whole: ScanResult = {
    findings: [],
    problems: [],
    totals: { files: 3, bytes: 4096, documents: 12, workloads: 4, clean: 4 },
    ...result,
  };
  const failOn = change.failOn ?? 'high';
  return {
    version: '1.2.3',
    result: whole,
    failOn,
    exitCode: scanExitCode(whole, failOn),
    rules: SAMPLE_RULES,
    paths: ['deploy'],
    ...change,
  };
}

/** Everything a format has to get right at once: hostile names, several lines, accepted findings, problems. */
export function hostileReport(): ScanReport {
  const hostile = 'a<b>&"\'%,:\n|`\u0000\u001b[31m\ud800 @all ]]> ::error::x';
  return sampleReport(
    {
      findings: [
        sampleFinding(),
        sampleFinding({
          subject: { apiVersion: 'v1', kind: 'Pod', name: hostile },
          message: hostile,
          fix: `${hostile}\nsecond line`,
          place: { file: `dir,with:100%/${hostile}.yaml`, line: 1, column: 1, endLine: 4, endColumn: 2 },
          fingerprint: 'b'.repeat(64),
        }),
        sampleFinding({ rule: 'user-namespace', severity: 'medium', fingerprint: 'c'.repeat(64), field: 'spec' }),
        sampleFinding({
          subject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          accepted: { by: 'waiver', reason: hostile },
          fingerprint: 'd'.repeat(64),
        }),
        sampleFinding({
          subject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
          accepted: { by: 'baseline', reason: 'in the baseline' },
          fingerprint: 'e'.repeat(64),
        }),
        sampleFinding({
          rule: 'unlisted-rule',
          severity: 'critical',
          fingerprint: 'f'.repeat(64),
          place: { file: '<stdin>', line: 2, column: 3, endLine: 2, endColumn: 9 },
        }),
      ],
      problems: [
        sampleProblem({ message: hostile }),
        sampleProblem({ kind: 'unused-waiver', fatal: false, message: 'accepts nothing' }),
      ],
      totals: {
        files: 1234,
        bytes: 4_000_000,
        documents: 5678,
        workloads: 40,
        clean: 35,
        adoption: { adopted: 3, ready: 30, blocked: 7 },
      },
    },
    { paths: ['deploy', "it's; rm"] },
  );
}
