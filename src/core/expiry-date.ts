/**
 * The last day something holds, as `2027-03-31`. Takes a date, a time stamp (its day in UTC), or the Date that a YAML 1.1 parser
 * makes of either; undefined for anything else, and for days no calendar has.
 */
export function parseExpiryDate(value: unknown): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString().slice(0, 10);
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(value)) return undefined;
  const time = Date.parse(value);
  if (Number.isNaN(time)) return undefined;
  const day = new Date(time).toISOString().slice(0, 10);
  // Date.parse rolls the 30th of February over into March.
  return value.length > 10 || day === value ? day : undefined;
}

/** True on every day after the last one. */
export function hasExpired(expires: string | undefined, today: string): boolean {
  return expires !== undefined && expires < today;
}
