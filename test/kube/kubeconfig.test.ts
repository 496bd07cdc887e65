// Kubeconfigs against a TLS server and a proxy that write down what reached them; openssl makes the certificates.
import { jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { createClient } from '../../src/kube/client.ts';
import { kubeconfigConnection, type KubeconfigOptions } from '../../src/kube/kubeconfig.ts';
import { type Authority, createAuthority } from '../control-plane/certificates.ts';
import { lackOf } from '../support/cached-programs.ts';
import { eventually } from './eventually.ts';

/** What reached the server. */
interface Heard {
  readonly authorization: string | undefined;
  /** The subject of the client certificate. */
  readonly certificate: string | undefined;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
}

const title = 'a kubeconfig';
const skipped = spawnSync('openssl', ['version']).status === 0 ? undefined : lackOf('openssl', 'openssl is missing');
if (skipped) {
  test.skip(`${title} (skipped, because ${skipped.skipped})`, () => undefined);
} else {
  describe(title, () => {
    let dir = '';
    let authority: Authority;
    let server: https.Server;
    let heard: Heard[] = [];
    let isKnown: (authorization: string | undefined) => boolean = () => true;
    let proxy: http.Server;
    /** `host:port` and the proxy's own credentials of each CONNECT. */
    let tunnels: { readonly target: string | undefined; readonly authorization: string | undefined }[] = [];
    let proxyAnswer = 200;
    const sockets = new Set<Socket>();
    const environment = { ...process.env };

    const portOf = (listener: http.Server | https.Server): number => (listener.address() as AddressInfo).port;
    const listen = (listener: http.Server | https.Server): Promise<void> =>
      new Promise((resolve) => {
        listener.on('connection', (socket: Socket) => {
          sockets.add(socket);
          socket.on('close', () => sockets.delete(socket));
        });
        listener.listen(0, '127.0.0.1', resolve);
      });

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
      authority = createAuthority(dir);
      const own = authority.issue('server', '/CN=server', ['DNS:api.example.org', 'IP:127.0.0.1']);
      const tls = {
        ca: readFileSync(authority.caFile),
        cert: readFileSync(own.cert),
        key: readFileSync(own.key),
        requestCert: true,
        rejectUnauthorized: false,
      };
      server = https.createServer(tls, ({ headers: { authorization }, rawHeaders, socket }, response) => {
        const isProven = socket instanceof TLSSocket && socket.authorized;
        const certificate = isProven ? String(socket.getPeerCertificate().subject.CN) : undefined;
        heard.push({ authorization, certificate, rawHeaders });
        const isRefused = !isKnown(authorization);
        response.writeHead(isRefused ? 401 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(isRefused ? { kind: 'Status', message: 'who are you', code: 401 } : { ok: true }));
      });
      proxy = http.createServer();
      proxy.on('connect', ({ url, headers }: http.IncomingMessage, socket: Socket) => {
        tunnels.push({ target: url, authorization: headers['proxy-authorization'] });
        if (proxyAnswer !== 200) {
          socket.end(`HTTP/1.1 ${proxyAnswer} No\r\n\r\n`);
          return;
        }
        // Names are the proxy's to look up: the client may know none of them.
        const onward = connect(portOf(server), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          onward.pipe(socket);
          socket.pipe(onward);
        });
        onward.on('error', () => socket.destroy());
        // Nobody reads it any more, and its end would not be seen.
        onward.on('close', () => socket.resume());
        socket.on('error', () => onward.destroy());
        socket.on('close', () => onward.destroy());
      });
      await Promise.all([listen(server), listen(proxy)]);
    });

    beforeEach(() => {
      heard = [];
      tunnels = [];
      isKnown = () => true;
      proxyAnswer = 200;
    });
    afterEach(() => {
      jest.restoreAllMocks();
      process.env = { ...environment };
    });
    afterAll(async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([server, proxy].map((one) => new Promise((resolve) => one.close(resolve))));
      rmSync(dir, { recursive: true });
    });

    const url = (): string => `https://127.0.0.1:${portOf(server)}`;

    function configOf(user: object, cluster: object = {}, names = 'one'): object {
      return {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': names,
        clusters: [{ name: names, cluster: { server: url(), 'certificate-authority': 'ca.crt', ...cluster } }],
        users: [{ name: names, user }],
        contexts: [{ name: names, context: { cluster: names, user: names } }],
      };
    }

    function kubeconfig(user: object, cluster: object = {}): string {
      const path = join(dir, 'config');
      writeFileSync(path, JSON.stringify(configOf(user, cluster)));
      return path;
    }

    type Ask = () => Promise<unknown>;

    /** Hands `use` something that asks the server, and closes all connections after it. */
    async function asking(options: KubeconfigOptions, use: (ask: Ask) => Promise<void>): Promise<void> {
      const client = createClient(await kubeconfigConnection(options));
      try {
        await use(() => client.get('/version'));
      } finally {
        client.close();
      }
      await eventually('all connections are closed', () => sockets.size === 0);
    }

    const askOnce = (path: string): Promise<void> =>
      asking({ path }, async (ask) => {
        await ask();
      });

    /** A program that answers what is in a file of its directory, and counts how often it was asked. */
    function plugin(status: object, more = ''): { readonly exec: object; readonly answer: (status: object) => void } {
      mkdirSync(join(dir, 'plugins'), { recursive: true });
      const answer = (next: object): void => {
        const credential = {
          apiVersion: 'client.authentication.k8s.io/v1',
          kind: 'ExecCredential',
          status: next,
        };
        writeFileSync(join(dir, 'plugins', 'answer'), JSON.stringify(credential));
      };
      answer(status);
      rmSync(join(dir, 'plugins', 'asked'), { force: true });
      const text = `#!/bin/sh\ncd "$(dirname "$0")"\necho "$KUBERNETES_EXEC_INFO" >>asked\n${more}\ncat answer\n`;
      writeFileSync(join(dir, 'plugins', 'login'), text, { mode: 0o755 });
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: './plugins/login',
        interactiveMode: 'IfAvailable',
      };
      return { exec, answer };
    }

    const asked = (): readonly string[] =>
      readFileSync(join(dir, 'plugins', 'asked'), 'utf8')
        .trimEnd()
        .split('\n');
    const bearers = (): readonly unknown[] => heard.map(({ authorization }) => authorization);

    /** The clock of this process; the plugin's own goes on. */
    function later(milliseconds: number): void {
      const now = Date.now() + milliseconds;
      jest.spyOn(Date, 'now').mockImplementation(() => now);
    }

    describe('a credential plugin', () => {
      test('is found beside the file, asked once, and again when its token has expired', async () => {
        const expirationTimestamp = new Date(Date.now() + 90_000).toISOString();
        const { exec, answer } = plugin({ token: 'first', expirationTimestamp });
        await asking({ path: kubeconfig({ exec }) }, async (ask) => {
          await ask();
          await ask();
          answer({ token: 'second', expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() });
          later(70_000);
          await ask();
          expect(asked()).toHaveLength(1);
          later(70_000);
          await ask();
          await ask();
        });
        expect(bearers()).toEqual(['first', 'first', 'first', 'second', 'second'].map((token) => `Bearer ${token}`));
        expect(asked()).toHaveLength(2);
      });

      test('is asked again at once when the server knows its token no more', async () => {
        const { exec, answer } = plugin({ token: 'first' });
        await asking({ path: kubeconfig({ exec }) }, async (ask) => {
          await ask();
          isKnown = (authorization) => authorization === 'Bearer second';
          answer({ token: 'second' });
          await ask();
        });
        expect(bearers()).toEqual(['Bearer first', 'Bearer first', 'Bearer second']);
      });

      test('is told what is wanted, and of which cluster', async () => {
        const { exec } = plugin({ token: 'a' });
        const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'prod' } }];
        const env = [{ name: 'OTHER', value: 'kept' }];
        const told = { ...exec, provideClusterInfo: true, env };
        await askOnce(kubeconfig({ exec: told }, { extensions, 'tls-server-name': 'api.example.org' }));
        expect(asked().map((line) => JSON.parse(line) as unknown)).toEqual([
          {
            apiVersion: 'client.authentication.k8s.io/v1',
            kind: 'ExecCredential',
            spec: {
              interactive: false,
              cluster: {
                server: url(),
                'tls-server-name': 'api.example.org',
                'certificate-authority-data': readFileSync(authority.caFile).toString('base64'),
                config: { audience: 'prod' },
              },
            },
          },
        ]);
      });

      test('may give a client certificate', async () => {
        const { cert, key } = authority.issue('by-plugin', '/CN=by-plugin');
        const { exec } = plugin({
          clientCertificateData: readFileSync(cert, 'utf8'),
          clientKeyData: readFileSync(key, 'utf8'),
        });
        await askOnce(kubeconfig({ exec }));
        expect(heard).toMatchObject([{ certificate: 'by-plugin', authorization: undefined }]);
      });

      test.each<[string, more: string, change: object, message: RegExp]>([
        [
          'fails',
          'echo "log in first" >&2; exit 3',
          {},
          /config: users\[one\]\.user\.exec: .*login gave .*: log in first/,
        ],
        ['fails without a word', 'exit 3', {}, /exec: the credential plugin .*login gave .*: it failed without a word/],
        [
          'says something else',
          'echo nonsense; exit',
          {},
          /users\[one\]\.user\.exec: .*login gave .*: it printed no ExecCredential/,
        ],
        [
          'is missing',
          '',
          { command: 'no-such-plugin', installHint: 'Install it from example.org.' },
          /users\[one\]\.user\.exec: .*no-such-plugin.*ENOENT\. Install it from example\.org\./,
        ],
        ['needs a terminal', '', { interactiveMode: 'Always' }, /users\[one\]\.user\.exec\.interactiveMode: Always/],
      ])('that %s is named, with the field', async (_, more, change, message) => {
        const { exec } = plugin({ token: 'a' }, more);
        await expect(kubeconfigConnection({ path: kubeconfig({ exec: { ...exec, ...change } }) })).rejects.toThrow(
          message,
        );
      });
    });

    describe('OpenID Connect', () => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const idToken = (exp: number): string => `${part({ alg: 'none' })}.${part({ sub: 'jane', exp })}.signature`;
      const provider = (config: object): object => ({ 'auth-provider': { name: 'oidc', config } });
      const now = Math.floor(Date.now() / 1000);

      test('the token of the file is sent while it is valid', async () => {
        const token = idToken(now + 3600);
        await askOnce(kubeconfig(provider({ 'id-token': token, 'client-id': 'kubernetes' })));
        expect(bearers()).toEqual([`Bearer ${token}`]);
      });

      test.each<[string, config: object, message: RegExp]>([
        [
          'has expired',
          { 'id-token': idToken(now - 60), 'client-id': 'kubernetes' },
          /users\[one\]\.user\.auth-provider\.config\.id-token: it has expired.*without refresh-token, idp-issuer-url/,
        ],
        ['is not there', { 'client-id': 'kubernetes' }, /auth-provider\.config\.id-token: there is none; log in anew/],
      ])('one that %s is named, and nobody is asked without it', async (_, config, message) => {
        await expect(kubeconfigConnection({ path: kubeconfig(provider(config)) })).rejects.toThrow(message);
      });

      test('a provider nobody knows is named', async () => {
        const path = kubeconfig({ 'auth-provider': { name: 'openstack' } });
        await expect(kubeconfigConnection({ path })).rejects.toThrow(
          /users\[one\]\.user\.auth-provider\.name: openstack is not known; use a credential plugin/,
        );
      });
    });

    describe('a proxy', () => {
      const address = (credentials = ''): string => `http://${credentials}127.0.0.1:${portOf(proxy)}`;

      test('is what every connection goes through, and sees nothing but TLS', async () => {
        const { cert, key } = authority.issue('through-proxy', '/CN=through-proxy');
        const user = { 'client-certificate': cert, 'client-key': key };
        const port = portOf(server);
        // No resolver knows the name.
        const cluster = { server: `https://api.example.org:${port}`, 'proxy-url': address() };
        await asking({ path: kubeconfig(user, cluster) }, async (ask) => {
          await ask();
          await ask();
        });
        expect(heard.map(({ certificate }) => certificate)).toEqual(['through-proxy', 'through-proxy']);
        expect(tunnels.length).toBeGreaterThan(0);
        expect(new Set(tunnels.map(({ target }) => target))).toEqual(new Set([`api.example.org:${port}`]));
      });

      test('gets its own name and password, and the server does not', async () => {
        await askOnce(kubeconfig({ token: 'mine' }, { 'proxy-url': address('jane:p%40ss@') }));
        expect(tunnels).toMatchObject([{ authorization: `Basic ${Buffer.from('jane:p@ss').toString('base64')}` }]);
        expect(bearers()).toEqual(['Bearer mine']);
      });

      test('does not stand in for the server: its certificate is checked all the same', async () => {
        const other = { 'tls-server-name': 'elsewhere.example.org', 'proxy-url': address() };
        await asking({ path: kubeconfig({ token: 'a' }, other) }, async (ask) => {
          await expect(ask()).rejects.toThrow(/elsewhere\.example\.org/);
        });
        expect(heard).toEqual([]);
      });

      test('that refuses, or is not there, is named with its field and without its password', async () => {
        proxyAnswer = 407;
        await asking({ path: kubeconfig({ token: 'a' }, { 'proxy-url': address('jane:secret@') }) }, async (ask) => {
          const failed = ask();
          await expect(failed).rejects.toThrow(
            /through the proxy http:\/\/127\.0\.0\.1:\d+ \(clusters\[one\]\.cluster\.proxy-url\): .*407/,
          );
          await expect(failed).rejects.not.toThrow(/secret/);
        });
        await asking({ path: kubeconfig({ token: 'a' }, { 'proxy-url': 'http://127.0.0.1:1' }) }, async (ask) => {
          await expect(ask()).rejects.toThrow(/proxy-url.*ECONNREFUSED/);
        });
        expect(heard).toEqual([]);
      });

      test.each(['127.0.0.1:3128', 'proxy.example.org', 'ftp://proxy.example.org'])('%s is none', async (wrong) => {
        const path = kubeconfig({}, { 'proxy-url': wrong });
        await expect(kubeconfigConnection({ path })).rejects.toThrow(
          /config: clusters\[one\]\.cluster\.proxy-url: .* is no proxy; write it as http:/,
        );
      });
    });

    test('client certificates reach a server that demands them: from files beside the kubeconfig, or in it', async () => {
      const { cert, key } = authority.issue('jane', '/O=people/CN=jane');
      await askOnce(kubeconfig({ 'client-certificate': 'jane.crt', 'client-key': 'jane.key' }));
      const inline = (file: string): string => readFileSync(file).toString('base64');
      await askOnce(kubeconfig({ 'client-certificate-data': inline(cert), 'client-key-data': inline(key) }));
      expect(heard).toMatchObject([{ certificate: 'jane' }, { certificate: 'jane' }]);
      const path = kubeconfig({ 'client-certificate': 'gone.crt', 'client-key': 'jane.key' });
      await expect(kubeconfigConnection({ path })).rejects.toThrow(/config: .*ENOENT.*gone\.crt/);
    });

    test('a token file is read, and read again when the server knows its token no more', async () => {
      writeFileSync(join(dir, 'token'), 'old\n');
      await asking({ path: kubeconfig({ tokenFile: 'token' }) }, async (ask) => {
        isKnown = (authorization) => authorization === 'Bearer new';
        writeFileSync(join(dir, 'token'), 'new\n');
        await ask();
      });
      expect(bearers()).toEqual(['Bearer old', 'Bearer new']);
      await expect(kubeconfigConnection({ path: kubeconfig({ tokenFile: 'none' }) })).rejects.toThrow(
        /users\[one\]\.user\.tokenFile: .*ENOENT/,
      );
    });

    test('whoever is impersonated is so with all groups, as uid and with what else is given', async () => {
      const acting = { as: 'john', 'as-groups': ['dev', 'ops'], 'as-uid': '7', 'as-user-extra': { 'a/b': ['x', 'y'] } };
      await askOnce(kubeconfig({ token: 'mine', ...acting }));
      const rawHeaders = heard[0]?.rawHeaders ?? [];
      const sent = rawHeaders.flatMap((name, index) =>
        index % 2 === 0 && name.startsWith('Impersonate-') ? [`${name}: ${rawHeaders[index + 1] ?? ''}`] : [],
      );
      expect(sent.toSorted()).toEqual([
        'Impersonate-Extra-a%2Fb: x',
        'Impersonate-Extra-a%2Fb: y',
        'Impersonate-Group: dev',
        'Impersonate-Group: ops',
        'Impersonate-Uid: 7',
        'Impersonate-User: john',
      ]);
    });

    test('of several files the first counts, each with its own paths, and those that are gone are left out', async () => {
      const files = ['a', 'b'].map((name) => join(dir, name, 'config'));
      for (const file of files) mkdirSync(join(file, '..'), { recursive: true });
      const [first = '', second = ''] = files;
      writeFileSync(join(dir, 'a', 'token'), 'of-a');
      writeFileSync(first, JSON.stringify(configOf({ tokenFile: 'token' }, { 'certificate-authority': '../ca.crt' })));
      const both = configOf({ token: 'of-b' }) as Record<string, readonly object[]>;
      const two = configOf({ token: 'two' }, { 'certificate-authority': '../ca.crt' }, 'two') as typeof both;
      const join2 = (list: string): readonly object[] => [...(both[list] ?? []), ...(two[list] ?? [])];
      const lists = { clusters: join2('clusters'), users: join2('users'), contexts: join2('contexts') };
      writeFileSync(second, JSON.stringify({ ...two, ...lists }));
      process.env['KUBECONFIG'] = [join(dir, 'gone'), first, second].join(':');
      for (const options of [{}, { context: 'two' }])
        await asking(options, async (ask) => {
          await ask();
        });
      expect(bearers()).toEqual(['Bearer of-a', 'Bearer two']);
      process.env['KUBECONFIG'] = join(dir, 'gone');
      await expect(kubeconfigConnection()).rejects.toThrow(/no kubeconfig: KUBECONFIG names .*gone/);
    });

    test('a file that is no YAML is named', async () => {
      const path = join(dir, 'broken');
      writeFileSync(path, 'clusters: [\n');
      await expect(kubeconfigConnection({ path })).rejects.toThrow(/^\S*broken: /);
    });
  });
}
