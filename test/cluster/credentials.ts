// Who is who in a cluster: one authority, two certificates, and a token for each component.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of the credentials; tokens by user. */
export interface Credentials {
  readonly caFile: string;
  /** Of the API server and of the kubelet. */
  readonly serving: KeyPair;
  /** What the API server shows to the kubelet. */
  readonly kubeletClient: KeyPair;
  /** Signs the tokens of service accounts. */
  readonly serviceAccounts: { readonly publicFile: string; readonly keyFile: string };
  /** In the format of `--token-auth-file`. */
  readonly tokensFile: string;
  readonly tokens: Readonly<Record<string, string>>;
}

interface KeyPair {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Whom a token stands for. */
export interface User {
  readonly name: string;
  readonly group?: string;
}

/** Makes all credentials in a directory. */
export function makeCredentials(dir: string, names: readonly string[], users: readonly User[]): Credentials {
  const config = join(dir, 'openssl.cnf');
  writeFileSync(config, '[req]\ndistinguished_name = name\n[name]\n');
  const authority = files(dir, 'ca');
  certify(config, authority, '/CN=test-cluster', ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign']);
  const signed = (name: string, subject: string, extensions: readonly string[]) => {
    const pair = files(dir, name);
    certify(config, pair, subject, ['basicConstraints=CA:FALSE', ...extensions], authority);
    return pair;
  };
  const tokens = Object.fromEntries(users.map(({ name }) => [name, randomBytes(16).toString('hex')]));
  const tokensFile = join(dir, 'tokens.csv');
  const lines = users.map(({ name, group = '' }) => `${tokens[name] ?? ''},${name},${name},"${group}"\n`);
  writeFileSync(tokensFile, lines.join(''), { mode: 0o600 });
  return {
    caFile: authority.certificateFile,
    serving: signed('serving', '/CN=serving', [`subjectAltName=${names.join(',')}`]),
    kubeletClient: signed('kubelet-client', '/O=system:masters/CN=kube-apiserver-kubelet-client', []),
    serviceAccounts: makeServiceAccountKeys(dir),
    tokensFile,
    tokens,
  };
}

/** A kubeconfig; JSON is YAML. */
export function writeKubeconfig(file: string, server: string, caFile: string, token: string): void {
  const authority = readFileSync(caFile).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
}

function files(dir: string, name: string): KeyPair {
  return { certificateFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
}

function certify(
  config: string,
  { certificateFile, keyFile }: KeyPair,
  subject: string,
  extensions: readonly string[],
  authority?: KeyPair,
): void {
  const signer = authority === undefined ? [] : ['-CA', authority.certificateFile, '-CAkey', authority.keyFile];
  const args = ['req', '-x509', '-config', config, '-days', '7', '-subj', subject, '-out', certificateFile];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  const made = spawnSync('openssl', [...args, ...key, ...signer, ...extensions.flatMap((one) => ['-addext', one])], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${made.error?.message ?? made.stderr.trim()}`);
}

function makeServiceAccountKeys(dir: string): Credentials['serviceAccounts'] {
  const made = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const publicFile = join(dir, 'service-accounts.pub');
  const keyFile = join(dir, 'service-accounts.key');
  writeFileSync(publicFile, made.publicKey);
  writeFileSync(keyFile, made.privateKey, { mode: 0o600 });
  return { publicFile, keyFile };
}
