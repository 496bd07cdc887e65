import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import AjvDraft04 from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { createScanSarif, renderScanSarif } from '../../src/report/scan-sarif.ts';
import { hostileReport, sampleFinding, sampleProblem, sampleReport } from './scan-samples.ts';

const schema = JSON.parse(
  readFileSync(new URL('../fixtures/schemas/sarif-2.1.0-rtm.5.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const ajv = new AjvDraft04.default({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

function errorsOf(text: string): unknown {
  return validate(JSON.parse(text)) ? [] : validate.errors;
}

describe('SARIF', () => {
  test('is valid with findings, suppressions and problems of every sort', () => {
    expect(errorsOf(renderScanSarif(hostileReport()))).toEqual([]);
  });

  test('is valid when nothing was found', () => {
    expect(errorsOf(renderScanSarif(sampleReport()))).toEqual([]);
  });

  test('the schema check is not idle', () => {
    const broken = renderScanSarif(sampleReport({ findings: [sampleFinding()] })).replace(
      '"startLine": 12',
      '"startLine": 0',
    );
    expect(errorsOf(broken)).not.toEqual([]);
  });

  test('a result names rule, place, subject and a fingerprint of its own', () => {
    const [run] = createScanSarif(sampleReport({ findings: [sampleFinding()] })).runs;
    expect(run?.results).toEqual([
      {
        ruleId: 'host-pid-namespace',
        ruleIndex: 0,
        level: 'error',
        message: { text: "DaemonSet kube-system/agent: shares the host's PID namespace\nFix: Drop hostPID: true." },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'deploy/agent.yaml', uriBaseId: '%SRCROOT%' },
              region: { startLine: 12, startColumn: 7, endLine: 12, endColumn: 20 },
            },
            logicalLocations: [
              {
                name: 'spec.template.spec.hostPID',
                fullyQualifiedName: 'apps/v1/DaemonSet/kube-system/agent/spec.template.spec.hostPID',
                kind: 'member',
              },
            ],
          },
        ],
        partialFingerprints: { 'usernsAuditFingerprint/v1': 'a'.repeat(64) },
        properties: { severity: 'high', field: 'spec.template.spec.hostPID' },
      },
    ]);
    expect(run?.invocations).toEqual([
      { executionSuccessful: true, exitCode: 1, exitCodeDescription: 'Findings at or above the floor.' },
    ]);
  });

  test('every region has a start line, as the OASIS schema asks', () => {
    const [run] = createScanSarif(hostileReport()).runs;
    const regions = run?.results?.flatMap(({ locations }) =>
      locations?.map((it) => it.physicalLocation?.region?.startLine),
    );
    expect(regions?.every((line) => line !== undefined && line >= 1)).toBe(true);
  });

  test('accepted findings are suppressed, and then every result says so', () => {
    const [run] = createScanSarif(hostileReport()).runs;
    expect(
      run?.results?.map(({ suppressions }) => suppressions?.map(({ kind, status }) => `${kind} ${status ?? ''}`)),
    ).toEqual([[], [], [], ['inSource accepted'], ['external accepted'], []]);
  });

  test('problems are notifications with a descriptor, and the run was no success', () => {
    const report = sampleReport({ problems: [sampleProblem(), sampleProblem({ kind: 'template', fatal: true })] });
    const [run] = createScanSarif(report).runs;
    expect(run?.tool.driver.notifications?.map(({ id }) => id)).toEqual(['template', 'unparsable']);
    expect(run?.invocations?.[0]).toMatchObject({ executionSuccessful: false, exitCode: 2 });
    expect(run?.invocations?.[0]?.toolExecutionNotifications?.map(({ descriptor }) => descriptor?.index)).toEqual([
      1, 0,
    ]);
  });

  test.each([
    ['deploy/a b.yaml', { uri: 'deploy/a%20b.yaml', uriBaseId: '%SRCROOT%' }],
    ['./a.yaml', { uri: 'a.yaml', uriBaseId: '%SRCROOT%' }],
    ['a:b.yaml', { uri: 'a%3Ab.yaml', uriBaseId: '%SRCROOT%' }],
    ['/etc/x#1.yaml', { uri: 'file:///etc/x%231.yaml' }],
    ['<stdin>', { uri: '%3Cstdin%3E', uriBaseId: '%SRCROOT%' }],
    ['dépl/Ü.yaml', { uri: 'd%C3%A9pl/%C3%9C.yaml', uriBaseId: '%SRCROOT%' }],
  ])('the URI of %s', (file, expected) => {
    const place = { ...sampleFinding().place, file };
    const [run] = createScanSarif(sampleReport({ findings: [sampleFinding({ place })] })).runs;
    expect(run?.results?.[0]?.locations?.[0]?.physicalLocation?.artifactLocation).toEqual(expected);
  });

  test('a rule carries help, and the severity GitHub reads', () => {
    const [run] = createScanSarif(sampleReport()).runs;
    const [rule] = run?.tool.driver.rules ?? [];
    expect(rule).toMatchObject({
      id: 'host-pid-namespace',
      name: 'HostPidNamespace',
      helpUri: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
      properties: { 'security-severity': '8.0', tags: expect.arrayContaining(['security']) as unknown },
    });
    expect(rule?.help?.text).toContain('Drop hostPID: true.');
    expect(rule?.help?.markdown).toContain('**Fix:** Drop hostPID: true.');
  });
});
