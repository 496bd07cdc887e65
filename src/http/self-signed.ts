import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/**
 * A certificate of its own for a server nobody has given one (RFC 5280, ECDSA with P-256): it encrypts, and proves nothing. Valid for
 * a year from an hour ago, since clocks differ.
 * @returns PEM texts
 */
export function selfSignedCertificate(
  names: readonly string[],
  now: number,
): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectId(ECDSA_SHA256));
  const name = sequence(set(sequence(objectId(COMMON_NAME), tagged(UTF8_STRING, Buffer.from('userns-audit')))));
  const validity = sequence(utcTime(now - 3_600_000), utcTime(now + 365 * 86_400_000));
  const alternatives = sequence(...names.map((host) => tagged(DNS_NAME, Buffer.from(host, 'latin1'))));
  const extension = sequence(objectId(SUBJECT_ALT_NAME), tagged(OCTET_STRING, alternatives));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    name,
    validity,
    name,
    spki,
    tagged(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, algorithm, tagged(BIT_STRING, Buffer.concat([Buffer.from([0]), signature])));
  return { cert: pem('CERTIFICATE', certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

// Tags of DER (X.690).
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;
const UTF8_STRING = 0x0c;
/** dNSName of GeneralName. */
const DNS_NAME = 0x82;

// Object identifiers in their encoded form.
const ECDSA_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const SUBJECT_ALT_NAME = '551d11';

/** Positive, and of 20 bytes at most. */
function serialNumber(): Buffer {
  const bytes = createHash('sha256').update(randomBytes(32)).digest().subarray(0, 16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

/** `YYMMDDHHMMSSZ`, for years before 2050. */
function utcTime(time: number): Buffer {
  const digits = new Date(time).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`, 'latin1'));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
