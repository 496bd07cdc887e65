import type { RefusedLine, SubordinateIdFile, SubordinateIds, SubordinateRange } from '../core/facts.ts';
import { ID_SPACE } from '../core/id-map.ts';
import { andThen, type Reading, read } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

/** /etc/subuid and /etc/subgid (subuid(5), subgid(5)). */
export function readSubordinateIds(host: HostFs): SubordinateIds {
  const file = (path: string): Reading<SubordinateIdFile> =>
    andThen(host.readText(path, 4 << 20), (text, source) => read(source, parseSubordinateIds(text)));
  return { uid: file('/etc/subuid'), gid: file('/etc/subgid') };
}

/**
 * Parses `owner:start:count` lines, numbers decimal. What shadow, Docker and kubelet would not take is kept with its reason:
 * wrong fields, no number, an empty range, a range that passes 2^32.
 */
export function parseSubordinateIds(text: string): SubordinateIdFile {
  const ranges: SubordinateRange[] = [];
  const refused: RefusedLine[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const parsed = parseLine(raw, line);
    if (typeof parsed === 'string') refused.push({ line, text: raw.slice(0, 200), reason: parsed });
    else ranges.push(parsed);
  }
  return { ranges, refused };
}

function parseLine(raw: string, line: number): SubordinateRange | string {
  const fields = raw.split(':');
  if (fields.length !== 3) return `${fields.length} fields where owner:start:count is expected`;
  const [owner = '', first = '', size = ''] = fields;
  if (!/^[^\s:]+$/.test(owner)) return 'no owner';
  if (!/^\d{1,15}$/.test(first)) return `start "${first.slice(0, 40)}" is not a decimal number`;
  if (!/^\d{1,15}$/.test(size.trim())) return `count "${size.slice(0, 40)}" is not a decimal number`;
  const start = Number(first);
  const count = Number(size);
  if (count === 0) return 'the range is empty';
  if (start + count > ID_SPACE) return `the range ends at ${start + count}, past 2^32`;
  return { owner, start, count, line };
}
