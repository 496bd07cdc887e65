// What a server, a proxy or the network between may do to a request.
import { createClient } from '../../src/kube/client.ts';
import { isConflict, isGone, isNotFound, isTooMany, KubeError } from '../../src/kube/kube-error.ts';
import { createLineSplitter } from '../../src/kube/json-lines.ts';
import { resourcePath, withQuery } from '../../src/kube/paths.ts';
import { eventually } from './eventually.ts';
import { type FaultyServer, json, refuse, type Respond, startFaultyServer } from './faulty-server.ts';

let server: FaultyServer;
afterEach(() => server.close());

async function failureOf(answers: readonly Respond[], timeoutMs = 5000): Promise<KubeError> {
  server = await startFaultyServer(...answers);
  const client = createClient(server.connection, { timeoutMs });
  const error = await client.get('/api/v1/pods', { limit: 1 }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  client.close();
  if (!(error instanceof KubeError)) throw new Error(`no KubeError but ${String(error)}`);
  return error;
}

describe('a request that fails', () => {
  test.each([
    [404, 'NotFound', isNotFound],
    [409, 'Conflict', isConflict],
    [410, 'Expired', isGone],
    [429, 'TooManyRequests', isTooMany],
  ] as const)('%d %s is told by its own question', async (status, reason, question) => {
    const error = await failureOf([refuse(status, reason)]);
    expect(error).toMatchObject({ status, reason, message: `GET /api/v1/pods: ${status} because ${reason}` });
    expect([isNotFound, isConflict, isGone, isTooMany].filter((is) => is(error))).toEqual([question]);
  });

  test('tells when to come back', async () => {
    expect(await failureOf([refuse(429, 'TooManyRequests', { 'retry-after': '7' })])).toMatchObject({
      retryAfterSeconds: 7,
    });
  });

  test('is not kept away for a day', async () => {
    expect(await failureOf([refuse(429, 'TooManyRequests', { 'retry-after': '86400' })])).toMatchObject({
      retryAfterSeconds: 300,
    });
  });

  test('by a proxy that answers in HTML shows what it said', async () => {
    const error = await failureOf([(response) => response.writeHead(502).end('<h1>Bad Gateway</h1>')]);
    expect(error).toMatchObject({ status: 502, reason: '', message: 'GET /api/v1/pods: 502 <h1>Bad Gateway</h1>' });
  });

  test('by a redirect is not followed', async () => {
    expect(await failureOf([(response) => response.writeHead(302, { location: '/login' }).end()])).toMatchObject({
      status: 302,
    });
  });

  test.each<readonly [string, string, Respond]>([
    ['silence', 'Timeout', () => undefined],
    [
      'silence after the head',
      'Timeout',
      (response) => {
        response.writeHead(200).flushHeaders();
      },
    ],
    ['a cut connection', 'NetworkError', (response) => response.socket?.destroy()],
    ['a cut body', 'NetworkError', (response) => response.writeHead(200).write('{"a":', () => response.destroy())],
    ['what is not JSON', 'MalformedResponse', (response) => response.writeHead(200).end('<html>')],
  ])('by %s has no status', async (_, reason, respond) => {
    expect(await failureOf([respond], 100)).toMatchObject({ status: 0, reason });
  });

  test('where nobody listens names the address', async () => {
    server = await startFaultyServer();
    await server.close();
    const refused = createClient(server.connection).get('/version');
    await expect(refused).rejects.toMatchObject({ status: 0, reason: 'NetworkError' });
    await expect(refused).rejects.toThrow(/^GET \/version: .*ECONNREFUSED/);
  });

  test('because the answer is too long ends before all of it was read', async () => {
    let sent = 0;
    server = await startFaultyServer((response) => {
      response.writeHead(200);
      const more = (): void => {
        sent += 1 << 16;
        if (!response.destroyed) response.write(Buffer.alloc(1 << 16, 32), more);
      };
      more();
    });
    const client = createClient(server.connection);
    const request = client.request({ method: 'GET', path: '/x', maxBytes: 1 << 20 });
    await expect(request).rejects.toMatchObject({ status: 0, reason: 'ResponseTooLarge' });
    await eventually('the connection closes', () => server.openConnections === 0);
    expect(sent).toBeLessThan(64 << 20);
  });

  test('because the caller gave up says so', async () => {
    server = await startFaultyServer(() => undefined);
    const caller = new AbortController();
    const request = createClient(server.connection).get('/x', {}, caller.signal);
    await eventually('the request arrives', () => server.requests.length === 1);
    caller.abort(new Error('enough'));
    await expect(request).rejects.toMatchObject({ status: 0, reason: 'Aborted', message: 'GET /x: enough' });
    await eventually('the connection closes', () => server.openConnections === 0);
  });
});

describe('connections', () => {
  test('are kept, and one that the server closed meanwhile is replaced without a failure', async () => {
    const closing: Respond = (response) => {
      const { socket } = response;
      json({})(response, response.req, new URL('http://x'));
      // Keeps the request coming in, then resets: what a restarting server does to a kept connection.
      socket?.once('data', () => socket.destroy());
    };
    server = await startFaultyServer(closing, json({ ok: true }));
    const client = createClient(server.connection);
    await client.get('/1');
    expect(await client.get('/2')).toEqual({ ok: true });
    client.close();
  });

  test('a POST is not sent twice', async () => {
    let posts = 0;
    server = await startFaultyServer(json({}), (response) => {
      posts += 1;
      response.socket?.destroy();
    });
    const client = createClient(server.connection);
    await client.get('/1');
    await expect(client.create('/2', {})).rejects.toMatchObject({ status: 0 });
    expect(posts).toBe(1);
    client.close();
  });

  test('every request is recorded with its status', async () => {
    server = await startFaultyServer(json({}), refuse(403, 'Forbidden'), (response) => response.socket?.destroy());
    const seen: string[] = [];
    const client = createClient(server.connection, {
      onRequest: ({ method, path, status }) => seen.push(`${method} ${path} ${status}`),
    });
    await client.get('/a');
    await expect(client.delete('/b')).rejects.toThrow('403');
    await expect(client.create('/c', {})).rejects.toThrow();
    expect(seen).toEqual(['GET /a 200', 'DELETE /b 403', 'POST /c 0']);
    client.close();
  });
});

describe('a token', () => {
  const unauthorized = refuse(401, 'Unauthorized');

  test('is asked for again after a 401, once', async () => {
    let asked = 0;
    let rejected = 0;
    server = await startFaultyServer(unauthorized, json({ ok: true }), unauthorized);
    const client = createClient({
      ...server.connection,
      token: () => `token-${(asked += 1)}`,
      tokenRejected: () => (rejected += 1),
    });
    expect(await client.get('/a')).toEqual({ ok: true });
    await expect(client.get('/b')).rejects.toMatchObject({ status: 401 });
    expect([asked, rejected]).toEqual([4, 2]);
    expect(server.headers.map(({ authorization }) => authorization)).toEqual(
      [1, 2, 3, 4].map((n) => `Bearer token-${n}`),
    );
    client.close();
  });

  test('that cannot be had fails the request by name, and is in no message', async () => {
    server = await startFaultyServer(refuse(403, 'Forbidden'));
    const broken = createClient({ ...server.connection, token: () => Promise.reject(new Error('plugin failed')) });
    await expect(broken.get('/a')).rejects.toMatchObject({
      reason: 'CredentialError',
      message: 'GET /a: plugin failed',
    });
    const secret = createClient({ ...server.connection, token: () => 'geheim' });
    await expect(secret.get('/a')).rejects.not.toThrow(/geheim/);
    secret.close();
  });
});

describe('paths', () => {
  beforeEach(async () => {
    server = await startFaultyServer();
  });

  test('name objects of the core and of other groups, whatever is in a name', () => {
    expect(resourcePath({ version: 'v1', resource: 'nodes', name: 'a/../b' })).toBe('/api/v1/nodes/a%2F..%2Fb');
    expect(
      resourcePath({
        group: 'apps',
        version: 'v1',
        resource: 'deployments',
        namespace: 'x',
        name: 'y',
        subresource: 'status',
      }),
    ).toBe('/apis/apps/v1/namespaces/x/deployments/y/status');
    expect(withQuery('/a', { labelSelector: 'a in (b,c)', limit: 5, continue: undefined })).toBe(
      '/a?labelSelector=a%20in%20(b%2Cc)&limit=5',
    );
  });

  test('lines come whole, however they are cut', () => {
    const text = 'eins\n\nzwei ä€\n' + 'x'.repeat(1000) + '\nrest';
    const bytes = Buffer.from(text);
    for (const size of [1, 2, 3, 7, 64, 4096]) {
      const splitter = createLineSplitter();
      const lines: string[] = [];
      for (let at = 0; at < bytes.length; at += size)
        lines.push(...splitter.push(bytes.subarray(at, at + size)).map(String));
      expect(lines).toEqual(text.split('\n').slice(0, -1));
      expect(splitter.pending).toBe(4);
    }
  });

  test('a line without end is refused before it fills the memory', () => {
    const splitter = createLineSplitter(1000);
    splitter.push(Buffer.alloc(900));
    expect(() => splitter.push(Buffer.alloc(200))).toThrow('longer than 1000 bytes');
  });
});
