// What keeps the controller from starting, and what a server may do to what it asks first.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readClusterEvidence } from '../../src/controller/cluster-evidence.ts';
import { createClient } from '../../src/kube/client.ts';
import { json, startFaultyServer } from '../kube/faulty-server.ts';
import { CLI } from '../support/audit.ts';

const directory = mkdtempSync(join(tmpdir(), 'controller-start-'));
const kubeconfig = join(directory, 'config');
writeFileSync(
  kubeconfig,
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
    'current-context': 'c',
  }),
);
afterAll(() => {
  rmSync(directory, { recursive: true });
});

test.each([
  ['outside of a cluster', [], 'KUBERNETES_SERVICE_HOST'],
  ['by a kubeconfig that is not there', ['--kubeconfig=/nonexistent'], '/nonexistent'],
  ['with half a certificate', [`--kubeconfig=${kubeconfig}`, '--tls-cert=/x.pem'], '--tls-key'],
])('%s, the controller ends with one line that says why', (_, args, why) => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'controller', ...args], { encoding: 'utf8' });
  expect(status).toBe(1);
  const lines = stderr.trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'error',
    message: 'the controller can not run',
    error: expect.stringContaining(why) as unknown,
  });
});

test('metrics of a server that never end are not waited for', async () => {
  const server = await startFaultyServer(json({ gitVersion: 'v1.36.3' }), (response) => response.write('# HELP'));
  const client = createClient(server.connection);
  const { status } = await readClusterEvidence(client, new AbortController().signal, 200);
  expect(status).toEqual({
    version: 'v1.36.3',
    keepsHostUsers: 'True',
    reason: 'the gate is locked on from 1.36; its /metrics: did not end within 0.2 s',
  });
  client.close();
  await server.close();
});
