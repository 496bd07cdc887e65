// The server of agent, controller and standalone, asked by clients that are not ours: openssl, and raw sockets.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { healthRoutes, startEndpoint } from '../../src/http/endpoint.ts';
import { selfSignedCertificate } from '../../src/http/self-signed.ts';
import { isLoopback, type Server, startServer } from '../../src/http/server.ts';

const routes = { '/metrics': () => ({ status: 200, body: 'up 1\n' }), ...healthRoutes(ok, () => 'not yet') };
const anywhere = { host: '', port: 0 };
const local = { host: '127.0.0.1', port: 0 };
const servers: Server[] = [];
let directory: string;

function ok(): undefined {
  return undefined;
}

async function serve(starting: Promise<Server>): Promise<number> {
  const server = await starting;
  servers.push(server);
  return server.port;
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'http-server-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** One request over TLS, whoever signed the certificate. */
function ask(port: number, path: string, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    https
      .get({ port, path, headers, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body });
        });
      })
      .on('error', reject);
  });
}

/** All that a plain server answers to a text until it hangs up. */
function say(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.on('close', () => {
      resolve(answer);
    });
    socket.on('error', reject);
  });
}

/** What openssl says of the connection. Not waited for in one go: the server is this very process. */
function handshake(port: number, ...options: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-brief', ...options];
    const child = execFile('openssl', args, { timeout: 10_000 }, (_, __, stderr) => {
      resolve(stderr);
    });
    child.stdin?.end();
  });
}

const CLOSE = 'Host: x\r\nConnection: close\r\n\r\n';

describe('the certificate a server makes for itself', () => {
  const now = Date.parse('2026-03-04T05:06:07Z');
  const { cert, key } = selfSignedCertificate(['node-1.example', 'localhost'], now);

  test('is one openssl reads and finds signed by its own key', () => {
    const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
    const text = execFileSync('openssl', ['x509', '-in', files.cert, '-noout', '-text'], { encoding: 'utf8' });
    expect(text).toContain('Version: 3 (0x2)');
    expect(text).toContain('Signature Algorithm: ecdsa-with-SHA256');
    expect(text).toContain('NIST CURVE: P-256');
    expect(text).toContain('DNS:node-1.example, DNS:localhost');
    expect(text).toMatch(/Not Before: Mar {2}4 04:06:07 2026 GMT/);
    expect(text).toMatch(/Not After : Mar {2}4 05:06:07 2027 GMT/);
    const verified = spawnSync('openssl', ['verify', '-attime', String(now / 1000), '-CAfile', files.cert, files.cert]);
    expect({ status: verified.status, said: verified.stderr.toString() }).toEqual({ status: 0, said: '' });
    const publicKey = execFileSync('openssl', ['pkey', '-in', files.key, '-pubout'], { encoding: 'utf8' });
    expect(execFileSync('openssl', ['x509', '-in', files.cert, '-noout', '-pubkey'], { encoding: 'utf8' })).toBe(
      publicKey,
    );
  });

  test('has another serial number each time', () => {
    const serials = Array.from(
      { length: 50 },
      () => new X509Certificate(selfSignedCertificate(['x'], now).cert).serialNumber,
    );
    expect(new Set(serials).size).toBe(50);
    expect(serials.every((serial) => /^[0-7]/.test(serial) && serial.length === 32)).toBe(true);
  });
});

describe('where a process serves', () => {
  test('another machine needs TLS, and a token for all but the probes', async () => {
    const port = await serve(
      startEndpoint(
        { listen: anywhere, insecure: false },
        {
          routes,
          authorize: (authorization) =>
            Promise.resolve(
              authorization === 'Bearer good' ? 'allowed' : authorization ? 'forbidden' : 'unauthenticated',
            ),
        },
      ),
    );
    expect(await ask(port, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await ask(port, '/readyz')).toEqual({ status: 503, body: 'not yet\n' });
    expect((await ask(port, '/metrics')).status).toBe(401);
    expect((await ask(port, '/nothing')).status).toBe(401);
    expect((await ask(port, '/healthz/../metrics')).status).toBe(401);
    expect((await ask(port, '/metrics', { authorization: 'Bearer bad' })).status).toBe(403);
    expect(await ask(port, '/metrics', { authorization: 'Bearer good' })).toEqual({ status: 200, body: 'up 1\n' });
    expect((await ask(port, '/nothing', { authorization: 'Bearer good' })).status).toBe(404);
    expect(await handshake(port)).toContain('Protocol version: TLSv1.3');
    expect(await handshake(port, '-tls1_1')).not.toContain('CONNECTION ESTABLISHED');
  });

  test('a check that can not be made lets nobody in', async () => {
    const errors: unknown[] = [];
    const port = await serve(
      startEndpoint(
        { listen: anywhere, insecure: false },
        { routes, authorize: () => Promise.reject(new Error('away')), onError: (error) => errors.push(error) },
      ),
    );
    expect(await ask(port, '/metrics', { authorization: 'Bearer good' })).toEqual({
      status: 500,
      body: 'internal error\n',
    });
    expect(errors).toHaveLength(1);
  });

  test.each([
    ['loopback', { listen: local, insecure: false }],
    ['an address that was said to be safe', { listen: anywhere, insecure: true }],
  ])('%s is served plainly', async (_, options) => {
    const port = await serve(startEndpoint(options, { routes, authorize: () => Promise.resolve('forbidden') }));
    expect(await say(port, `GET /metrics HTTP/1.1\r\n${CLOSE}`)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*up 1\n$/);
  });

  test('half a certificate is refused', async () => {
    await expect(startEndpoint({ listen: local, insecure: false, tlsCert: '/tls.crt' }, { routes })).rejects.toThrow(
      '--tls-cert and --tls-key belong together',
    );
  });

  test('a name that only begins like loopback is not taken for it', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['', '0.0.0.0', '::', '127.example.com', '10.0.0.1'].some(isLoopback)).toBe(false);
  });
});

describe('a certificate from files', () => {
  test('is read anew when it is renewed', async () => {
    const files = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') };
    const renew = (name: string, modified: number): void => {
      const made = selfSignedCertificate([name], Date.now());
      writeFileSync(files.keyFile, made.key);
      writeFileSync(files.certFile, made.cert);
      utimesSync(files.certFile, modified, modified);
    };
    renew('first.example', 1_000_000);
    const port = await serve(startServer({ listen: local, routes, open: [], tls: files, reloadMs: 20 }));
    expect(await namesServed(port)).toBe('DNS:first.example');
    renew('second.example', 2_000_000);
    const end = Date.now() + 10_000;
    while ((await namesServed(port)) !== 'DNS:second.example') {
      if (Date.now() > end) throw new Error('the new certificate is not served');
      await sleep(20);
    }
  });

  test('that is not there is an error with its name', async () => {
    const missing = { certFile: join(directory, 'none.crt'), keyFile: join(directory, 'none.key') };
    await expect(startServer({ listen: local, routes, open: [], tls: missing })).rejects.toThrow(/none\.crt/);
  });
});

function namesServed(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.subjectAltName);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('what a client may do', () => {
  let port: number;
  beforeEach(async () => {
    port = await serve(startServer({ listen: local, routes, open: [] }));
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused', async (method) => {
    expect(await say(port, `${method} /metrics HTTP/1.1\r\nContent-Length: 0\r\n${CLOSE}`)).toMatch(
      /^HTTP\/1\.1 405 [^]*\r\nallow: GET, HEAD\r\n/,
    );
  });

  test('HEAD answers without a body', async () => {
    expect(await say(port, `HEAD /metrics HTTP/1.1\r\n${CLOSE}`)).toMatch(/content-length: 5\r\n[^]*\r\n\r\n$/);
  });

  test('answers carry the headers that keep browsers from making more of them', async () => {
    const answer = await say(port, `GET /metrics HTTP/1.1\r\n${CLOSE}`);
    for (const header of [
      'x-content-type-options: nosniff',
      'x-frame-options: DENY',
      'cache-control: no-store',
      "content-security-policy: default-src 'none'",
    ])
      expect(answer).toContain(`\r\n${header}\r\n`);
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', '400'],
    ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, '431'],
    ['an object’s own words as a path', `GET /__proto__ HTTP/1.1\r\n${CLOSE}`, '404'],
    ['a path that is none', `GET http://[ HTTP/1.1\r\n${CLOSE}`, '400'],
  ])('%s', async (_, text, status) => {
    expect(await say(port, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(await say(port, `GET /metrics HTTP/1.1\r\n${CLOSE}`)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('who says nothing does not keep a server from closing', async () => {
    const silent = connect(port, '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    await servers.splice(0)[0]?.close();
    await new Promise((resolve) => silent.once('close', resolve));
  });
});
