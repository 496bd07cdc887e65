import type { OsRelease } from '../core/facts.ts';
import { andThen, type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

/** The distribution (os-release(5)): /etc first, then the vendor's file. */
export function readOsRelease(host: HostFs): Reading<OsRelease> {
  const etc = host.readText('/etc/os-release', 65_536);
  const file = etc.ok || etc.why !== 'absent' ? etc : host.readText('/usr/lib/os-release', 65_536);
  return andThen(file, parseOsRelease);
}

/** Parses shell-like assignments; later lines win, as in a shell. */
export function parseOsRelease(text: string, source: string): Reading<OsRelease> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([A-Z0-9_]+)=(.*)$/.exec(line);
    if (match) fields.set(match[1] ?? '', unquote((match[2] ?? '').trim()));
  }
  if (fields.size === 0) return unread(source, 'malformed', 'no NAME=value line');
  const versionId = fields.get('VERSION_ID');
  return read(source, {
    id: fields.get('ID') ?? 'linux',
    prettyName: fields.get('PRETTY_NAME') ?? fields.get('NAME') ?? 'Linux',
    ...(versionId ? { versionId } : {}),
  });
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  if (!quoted) return value;
  return quoted[1] === '"' ? (quoted[2] ?? '').replace(/\\(["$`\\])/g, '$1') : (quoted[2] ?? '');
}
