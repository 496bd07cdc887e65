import { ID_SPACE, type IdMap, type IdRange } from '../core/id-map.ts';
import { type Reading, read, unread } from '../core/reading.ts';

/** The kernel takes at most 340 lines (user_namespaces(7)). */
const MAX_LINES = 340;

/** Parses /proc/PID/uid_map or gid_map: `inside outside length` per line. An empty file is an empty map. */
export function parseIdMap(text: string, source: string): Reading<IdMap> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > MAX_LINES)
    return unread(source, 'malformed', `${lines.length} lines, the kernel takes ${MAX_LINES}`);
  const ranges: IdRange[] = [];
  for (const line of lines) {
    const match = /^\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*$/.exec(line);
    const [inside, outside, length] = (match?.slice(1) ?? []).map(Number);
    if (inside === undefined || outside === undefined || length === undefined) {
      return unread(source, 'malformed', `"${line.trim().slice(0, 60)}" is no "inside outside length"`);
    }
    if (length === 0 || inside + length > ID_SPACE || (outside + length > ID_SPACE && outside !== ID_SPACE - 1)) {
      return unread(source, 'malformed', `"${line.trim().slice(0, 60)}" passes 2^32`);
    }
    ranges.push({ inside, outside, length });
  }
  return read(source, ranges);
}
