/** One line of /proc/PID/uid_map or gid_map: `length` ids from `inside` in the namespace are those from `outside` on the host. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly length: number;
}

/** The lines of one map in the kernel's order. Empty: a new user namespace nobody has mapped yet. */
export type IdMap = readonly IdRange[];

/** Ids are 32 bits wide; (uid_t) -1 is "no id" and can not be mapped (user_namespaces(7)). */
export const ID_SPACE = 2 ** 32;

/** Shown as the outer id when the reader's own user namespace can not express it (user_namespaces(7)). */
export const UNMAPPED_ID = 2 ** 32 - 1;

/** Ids below this are the host's own users; pods get ranges above (KEP-127). */
export const FIRST_POD_ID = 65536;

/** True for the map of the initial user namespace, `0 0 4294967295`, whoever shows it. */
export function isIdentityMap(map: IdMap): boolean {
  const [only] = map;
  return map.length === 1 && only?.inside === 0 && only.outside === 0 && only.length === UNMAPPED_ID;
}

/** The host id behind an id of the namespace, or `undefined` when it is not mapped. */
export function toHostId(map: IdMap, id: number): number | undefined {
  const range = map.find(({ inside, length }) => id >= inside && id < inside + length);
  if (!range) return undefined;
  const host = range.outside + (id - range.inside);
  return host < UNMAPPED_ID ? host : undefined;
}

/** How many ids the map has in all. */
export function mappedIds(map: IdMap): number {
  return map.reduce((sum, { length }) => sum + length, 0);
}

/** The ranges that reach host ids below 65536, cut to that part. */
export function hostIdRanges(map: IdMap): IdMap {
  return map
    .filter(({ outside }) => outside < FIRST_POD_ID)
    .map((range) => ({ ...range, length: Math.min(range.length, FIRST_POD_ID - range.outside) }));
}

/** `0 100000 65536` for one range; several are joined by commas, an empty map is `(empty)`. */
export function formatIdMap(map: IdMap): string {
  if (map.length === 0) return '(empty)';
  return map.map(({ inside, outside, length }) => `${inside} ${outside} ${length}`).join(', ');
}

/** The map a kubelet gives a pod that asks for no more (KEP-127): as many ids as the first 16 bits tell apart. */
export function standardMap(start: number): string {
  return formatIdMap([{ inside: 0, outside: start, length: 65536 }]);
}

/** A span of host ids and who holds it. */
export interface HeldRange<Owner> {
  readonly start: number;
  readonly end: number;
  readonly owner: Owner;
}

/** Two owners that hold the same host ids, with the ids they share (end exclusive). */
export interface Overlap<Owner> {
  readonly first: Owner;
  readonly second: Owner;
  readonly start: number;
  readonly end: number;
}

/** How many partners of one range are named; where more overlap, more of the same would say nothing new. */
export const PARTNERS_NAMED = 20;

/**
 * Overlapping pairs of different owners among host id ranges, by one sweep over the sorted starts. Every owner that overlaps any
 * other is in at least one pair, and each range names at most `PARTNERS_NAMED` that start before it. Of the ranges an owner has
 * open the one that reaches farthest stands for all, so that the time grows with the number of ranges, whoever made them up.
 */
export function findOverlaps<Owner>(ranges: readonly HeldRange<Owner>[]): readonly Overlap<Owner>[] {
  const sorted = ranges.filter(({ start, end }) => end > start).toSorted((a, b) => a.start - b.start || a.end - b.end);
  const found: Overlap<Owner>[] = [];
  const open = new Map<Owner, HeldRange<Owner>>();
  for (const range of sorted) {
    let named = 0;
    for (const [owner, other] of open) {
      if (other.end <= range.start) open.delete(owner);
      else if (owner !== range.owner && named++ < PARTNERS_NAMED)
        found.push({ first: owner, second: range.owner, start: range.start, end: Math.min(range.end, other.end) });
    }
    const own = open.get(range.owner);
    if (!own || own.end < range.end) open.set(range.owner, range);
    // Whoever is left out has its pairs already: all that are open hold the id at which this range starts.
    if (open.size > PARTNERS_NAMED + 1) open.delete(shortest(open).owner);
  }
  return found;
}

function shortest<Owner>(open: ReadonlyMap<Owner, HeldRange<Owner>>): HeldRange<Owner> {
  return [...open.values()].reduce((least, range) => (range.end < least.end ? range : least));
}
