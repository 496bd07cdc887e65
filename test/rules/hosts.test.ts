import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { auditNode } from '../../src/cli/audit-node.ts';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import type { Status } from '../../src/core/finding.ts';
import type { NodeReport } from '../../src/report/node-report.ts';
import { renderNodeTable } from '../../src/report/node-table.ts';
import { plain } from '../../src/report/paint.ts';

/** What is asserted of a host besides the whole table, so that a new golden file can not hide a changed verdict. */
interface Expected {
  readonly readiness: NodeReport['readiness']['status'];
  readonly engine: NodeReport['readiness']['engine'];
  readonly exitCode: number;
  /** Rule → its answers on this host, sorted, each once. */
  readonly verdicts: Readonly<Record<string, readonly Status[] | Status>>;
}

const HOSTS = new URL('../fixtures/hosts/', import.meta.url).pathname;
const UPDATE = process.env['UPDATE_GOLDEN'] === '1' && process.env['CI'] === undefined;

/** What git can not keep, or should not: pipes nobody writes to, and files of mebibytes. */
function makeWorse(root: string): void {
  for (const path of ['etc/default', 'etc/sysconfig']) mkdirSync(join(root, path), { recursive: true });
  for (const path of ['etc/default/docker', 'proc/sys/kernel/unprivileged_userns_clone']) {
    execFileSync('mkfifo', [join(root, path)]);
  }
  writeFileSync(join(root, 'etc/sysconfig/docker'), `OPTIONS='--userns-remap=root'\n${'# junk\n'.repeat(200_000)}`);
  writeFileSync(join(root, 'boot/config-6.8.0-5'), `CONFIG_USER_NS=y\n${'CONFIG_JUNK=y\n'.repeat(400_000)}`);
}

/** The audit of a committed tree; the hostile one is copied first, to be made worse. */
function audit(host: string): NodeReport {
  const root = join(HOSTS, host, 'root');
  if (host !== 'hostile') return auditNode(root);
  const copy = mkdtempSync(join(tmpdir(), 'hostile-'));
  try {
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
    makeWorse(copy);
    return auditNode(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function verdictsOf({ findings }: NodeReport, rule: string): Status | readonly Status[] {
  const answers = [...new Set(findings.filter((finding) => finding.rule === rule).map(({ status }) => status))].sort();
  const [only, ...others] = answers;
  return only !== undefined && others.length === 0 ? only : answers;
}

const hosts = readdirSync(HOSTS, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

describe.each(hosts.sort())('the host %s', (host) => {
  const report = audit(host);
  const expected = parse(readFileSync(join(HOSTS, host, 'expected.yaml'), 'utf8')) as Expected;

  test('is as ready as it should be, by the verdicts of the rules that matter', () => {
    const { readiness } = report;
    expect({
      readiness: readiness.status,
      engine: readiness.engine,
      exitCode: exitCodeOf(report, 'high'),
      verdicts: Object.fromEntries(Object.keys(expected.verdicts).map((rule) => [rule, verdictsOf(report, rule)])),
    }).toEqual(expected);
  });

  test('is shown as the table in expected.txt', () => {
    const golden = join(HOSTS, host, 'expected.txt');
    const table = renderNodeTable(report, { wide: false, paint: plain });
    if (UPDATE) writeFileSync(golden, table);
    expect(table).toBe(readFileSync(golden, 'utf8'));
  });

  test('is shown without control characters', () => {
    for (const wide of [false, true]) {
      expect(renderNodeTable(report, { wide, paint: plain })).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
  });
});
