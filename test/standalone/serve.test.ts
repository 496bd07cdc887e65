// `userns-audit serve` as people start it, and what its page makes of names that somebody else chose.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { renderNodePage } from '../../src/report/html/node-page.ts';
import { createNodeReport } from '../../src/report/node-report.ts';
import { isSkipped, requireLab } from '../lab/lab.ts';
import { startContainer, stopAll } from '../lab/runc.ts';
import { requirePrometheus } from '../prometheus/prometheus.ts';
import { CLI } from '../support/audit.ts';
import { factsOf } from '../support/host-tree.ts';
import { until } from '../support/until.ts';

describe('the process', () => {
  let serve: ChildProcess;
  let url: string;

  async function get(path: string): Promise<Response> {
    return fetch(`${url}${path}`);
  }

  /** fetch sets the Host header itself. */
  async function statusFor(host: string, path: string): Promise<number | undefined> {
    const request = http.get(`${url}${path}`, { headers: { host } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  beforeAll(async () => {
    serve = spawn(process.execPath, [CLI, 'serve', '--listen', '127.0.0.1:0', '--interval', '0.5'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!serve.stdout) throw new Error('no standard output');
    const [line] = (await once(createInterface({ input: serve.stdout }), 'line')) as [string];
    url = line.replace(/\/$/, '');
    await until('the first audit', async () => ((await get('/readyz')).status === 200 ? true : undefined), 10_000);
  });

  afterAll(() => {
    stopAll();
    serve.kill('SIGKILL');
  });

  test('the page holds a browser to what is on it', async () => {
    const answer = await get('/');
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'sha256-/);
    const text = await answer.text();
    expect(text).toMatch(/READY|UNKNOWN/);
    expect(text).not.toMatch(/ (?:src|on\w+)=|href="(?!#|data:)/);
  });

  test('what is not there, and what would change something, is refused', async () => {
    expect((await get('/etc/passwd')).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  test.each([
    ['localhost', 200],
    ['127.0.0.1:9100', 200],
    ['[::1]:80', 200],
    ['rebound.example', 421],
    ['127.0.0.1.rebound.example', 421],
  ])('a browser that was led here by the name "%s" gets %i', async (host, status) => {
    for (const path of ['/', '/report.json', '/metrics']) expect(await statusFor(host, path)).toBe(status);
  });

  test('promtool finds nothing to say', async () => {
    const text = await (await get('/metrics')).text();
    expect(text).toMatch(/^userns_audit_machine_readiness\{status="\w+"\} 1$/m);
    const programs = requirePrometheus();
    if ('skipped' in programs) return;
    const checked = spawnSync(programs.promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect({ status: checked.status, said: checked.stdout + checked.stderr }).toEqual({ status: 0, said: '' });
  });

  const lab = requireLab();
  (isSkipped(lab) ? test.skip : test)(
    'a container shows within an interval, in the namespaces it was started with',
    async () => {
      if (isSkipped(lab)) return;
      const container = startContainer(lab, { namespaces: { user: 'new' } });
      const row = await until('the container', async () => {
        const text = await (await get('/fragment')).text();
        return text.split('<tr').find((line) => line.includes(`>${container.pid}<`));
      });
      expect(row).toContain('data-v="Upnium--"');
      expect(row).toContain('uid 100000');
    },
  );

  test('SIGTERM ends it well', async () => {
    serve.kill('SIGTERM');
    expect(await once(serve, 'exit')).toEqual([0, null]);
    await expect(get('/healthz')).rejects.toThrow();
  });
});

test('beyond loopback somebody has to say that everybody may read it', () => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'serve', '--listen', '0.0.0.0:0'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  expect(status).toBe(2);
  expect(stderr).toContain('--insecure');
});

test('names are text on the page, whatever they hold', () => {
  const hostile = `<img src=x onerror=alert(1)>"'&</script>\u202e`;
  const facts = factsOf({ files: { '/etc/os-release': `ID=x\nPRETTY_NAME="${hostile.replaceAll('"', '')}"\n` } });
  const { html } = renderNodePage(createNodeReport(facts), hostile);
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(html).not.toContain('<img');
  expect(html).not.toContain('\u202e');
  expect(html.match(/<\/script>/g)).toHaveLength(1);
});
