// The picture of the dashboard in the documentation: that it can still be drawn, with data in every panel.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirePrometheus } from '../prometheus/prometheus.ts';
import { missingChromium } from '../support/chromium.ts';

const ROOT = join(import.meta.dirname, '../..');
const COMMITTED = join(ROOT, 'docs/images/dashboard.png');
const programs = requirePrometheus();
const missing = 'skipped' in programs ? programs.skipped : missingChromium();
if (missing !== undefined) console.warn(`skipped: ${missing}`);

/** Width and height, from the header of a PNG (its specification, 11.2.1). */
function sizeOf(file: string): readonly [width: number, height: number] {
  const bytes = readFileSync(file);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

(missing === undefined ? test : test.skip)(
  'is drawn from the queries, as large as the one in the documentation',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'userns-audit-picture-'));
    try {
      const file = join(dir, 'dashboard.png');
      const { status, stderr } = spawnSync(process.execPath, ['tools/dashboard-picture.ts', file], {
        cwd: ROOT,
        encoding: 'utf8',
        timeout: 55_000,
      });
      expect([status, stderr]).toEqual([0, '']);
      expect(sizeOf(file)).toEqual(sizeOf(COMMITTED));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
);

test('is small enough for a repository', () => {
  expect(statSync(COMMITTED).size).toBeLessThan(300_000);
});
