// The certificates of one control plane, by openssl: independent of the TLS code that is tested with them.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONFIG = `
[req]
distinguished_name = name
prompt = no
[name]
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
`;

/** Makes certificates in a directory, all signed by the directory's own authority, for two days. */
export interface Authority {
  readonly caFile: string;
  /** Writes `<name>.crt` and `<name>.key` for a subject like `/O=group/CN=user`. */
  issue(name: string, subject: string, names?: readonly string[]): { readonly cert: string; readonly key: string };
}

export function createAuthority(dir: string): Authority {
  const config = join(dir, 'openssl.cnf');
  const caFile = join(dir, 'ca.crt');
  const caKey = join(dir, 'ca.key');
  writeFileSync(config, CONFIG);

  function make(cert: string, key: string, subject: string, more: readonly string[]): void {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-config', config, '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', '-days', '2', '-subj', subject, ...curve, ...files, ...more], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  make(caFile, caKey, '/CN=test-ca', ['-extensions', 'ca']);
  return {
    caFile,
    issue(name, subject, names = []) {
      const cert = join(dir, `${name}.crt`);
      const key = join(dir, `${name}.key`);
      const alternative = names.length === 0 ? [] : ['-addext', `subjectAltName=${names.join(',')}`];
      make(cert, key, subject, ['-CA', caFile, '-CAkey', caKey, '-extensions', 'leaf', ...alternative]);
      return { cert, key };
    },
  };
}
