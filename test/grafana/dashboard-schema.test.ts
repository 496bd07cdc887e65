// The dashboard as Grafana reads it: strictly, by the types of its own SDK.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireDashboardSchema } from './dashboard-schema.ts';

const FILE = join(import.meta.dirname, '../../charts/userns-audit/files/dashboard.json');
const found = requireDashboardSchema();
if ('skipped' in found) console.warn(`skipped: ${found.skipped}`);

('skipped' in found ? describe.skip : describe)("Grafana's schema", () => {
  const check = (input: string): { readonly code: number | null; readonly said: string } => {
    const program = 'dashboardSchema' in found ? found.dashboardSchema : '';
    const { status, stdout, stderr } = spawnSync(program, { input, encoding: 'utf8' });
    return { code: status, said: `${stdout}${stderr}` };
  };
  const text = readFileSync(FILE, 'utf8');

  test('holds for the dashboard', () => {
    expect(check(text)).toEqual({ code: 0, said: '' });
  });

  test.each([
    ['a field that is none', '"graphTooltip"', '"graphTooltips"', 'graphTooltips'],
    ['an option no panel has', '"graphMode"', '"graphsMode"', 'graphsMode'],
    ['a value of another type', '"w": 4', '"w": "4"', 'gridPos'],
    ['a query that is none', '"expr"', '"expression"', 'targets'],
  ])('does not with %s', (_, is, becomes, place) => {
    const { code, said } = check(text.replace(is, becomes));
    expect([code, said]).toEqual([1, expect.stringContaining(place)]);
  });
});
