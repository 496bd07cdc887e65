// What is served under /metrics: as promtool wants it, and as docs/metrics.md tells.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../chart/chart.ts';
import { agentExposition, controllerExposition, machineExposition, waitingExposition } from './exposition.ts';
import { requirePrometheus } from './prometheus.ts';

const EXPOSITIONS = {
  controller: controllerExposition(),
  'waiting controller': waitingExposition(),
  agent: agentExposition(),
  machine: machineExposition(),
};
const programs = requirePrometheus();
if ('skipped' in programs) console.warn(`skipped: ${programs.skipped}`);
const promtool = 'promtool' in programs ? programs.promtool : '';

function families(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name = ''] of text.matchAll(/^# TYPE (userns_audit_\w+) /gm)) found.set(name, new Set());
  for (const [, name = '', labels = ''] of text.matchAll(/^(userns_audit_\w+?)(?:_sum|_count)?(?:\{(.*)\})? /gm))
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) found.get(name)?.add(label);
  return found;
}

const withPromtool = 'skipped' in programs ? test.skip : test;
withPromtool.each(Object.entries(EXPOSITIONS))('%s: promtool has nothing to say', async (_, render) => {
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
    input: await render(),
    encoding: 'utf8',
  });
  // nodejs_* and process_* are named by prom-client.
  const said = `${stdout}${stderr}`.split('\n').filter((line) => /userns_audit|error/.test(line));
  expect({ said, parsed: status !== 1 }).toEqual({ said: [], parsed: true });
});

test('the documentation has every family with its labels, and no other', async () => {
  const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  const documented = new Map(
    [...page.matchAll(/^\| `(userns_audit_\w+)` \| ([^|]*) \|/gm)].map(([, name = '', labels = '']) => [
      name,
      labels
        .split(', ')
        .map((label) => label.trim())
        .filter((label) => label !== ''),
    ]),
  );
  const served = new Map<string, Set<string>>();
  for (const render of Object.values(EXPOSITIONS))
    for (const [name, labels] of families(await render())) if (!served.get(name)?.size) served.set(name, labels);
  const plain = (map: Iterable<readonly [string, Iterable<string>]>) =>
    [...map].map(([name, labels]) => `${name}: ${[...labels].toSorted().join()}`).toSorted();
  expect(plain(documented)).toEqual(plain(served));
});

test('one that waits tells nothing of the cluster', async () => {
  expect([...families(await EXPOSITIONS['waiting controller']()).keys()]).not.toContain('userns_audit_pods');
});
