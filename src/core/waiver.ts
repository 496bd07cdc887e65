import { parseExpiryDate } from './expiry-date.ts';
import type { ScanProblem } from './scan-finding.ts';
import type { Place } from './workload.ts';

/** One annotation for several waivers: `userns-audit.dev/waive: "<rule>: <reason>"`, one a line. */
export const WAIVE_ANNOTATION = 'userns-audit.dev/waive';

/** One annotation a rule, whose value needs no quotes: `waive.userns-audit.dev/<rule>: <reason>`. */
export const WAIVE_PREFIX = 'waive.userns-audit.dev/';

/** A comment `# userns-audit: waive <rule>: <reason>` in a manifest. */
export interface WaiverComment {
  /** The comment from its `#` on. */
  readonly text: string;
  readonly place: Place;
  /** The line it speaks of: its own, or for a comment that stands alone the next line with content. */
  readonly line: number;
}

/** A finding accepted where it stands. */
export interface Waiver {
  readonly rule: string;
  readonly reason: string;
  /** The last day it holds. */
  readonly until?: string;
}

/** Something that was meant as a waiver and is none. */
export interface WaiverFlaw {
  readonly kind: Extract<ScanProblem['kind'], 'waiver-without-reason' | 'expired-waiver' | 'unused-waiver'>;
  readonly message: string;
}

export interface ParsedWaivers {
  readonly waivers: readonly Waiver[];
  readonly flaws: readonly WaiverFlaw[];
}

/**
 * Reads `RULE[, RULE…] [until YYYY-MM-DD]: REASON`, several on lines of their own. The reason must hold at least one letter;
 * what has none accepts nothing and is a flaw.
 */
export function parseWaivers(text: string): ParsedWaivers {
  return merge(
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(parseWaiver),
  );
}

/** Reads a comment; undefined when it does not speak to this tool. */
export function parseWaiverComment(comment: string): ParsedWaivers | undefined {
  const directive = /^#[#\s]*userns-audit:(.*)$/s.exec(comment)?.[1]?.trim();
  if (directive === undefined) return undefined;
  const waiver = /^waive(?:\s+(.*))?$/s.exec(directive);
  if (waiver) return parseWaiver(waiver[1] ?? '');
  return flaw('unused-waiver', `the comment "${directive}" is not understood; write "waive RULE: REASON"`);
}

/** Reads both kinds of annotation. */
export function parseWaiverAnnotations(
  annotations: Readonly<Record<string, string>>,
): readonly (ParsedWaivers & { readonly key: string })[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    if (key === WAIVE_ANNOTATION) return [{ key, ...parseWaivers(value) }];
    if (!key.startsWith(WAIVE_PREFIX)) return [];
    const rule = key.slice(WAIVE_PREFIX.length);
    return [{ key, ...parseWaiver(value.startsWith('until ') ? `${rule} ${value}` : `${rule}: ${value}`) }];
  });
}

/**
 * Every comment of a file that speaks to this tool. Reads the text line by line and knows no YAML: a comment within a block
 * scalar is listed too.
 */
export function findWaiverComments(text: string, file: string): readonly WaiverComment[] {
  if (!text.includes('userns-audit:')) return [];
  const lines = text.split(/\r\n|\r|\n/);
  const comments: WaiverComment[] = [];
  let next: number | undefined;
  // From the last line up, so that the next line with content is known.
  for (let line = lines.length; line > 0; line--) {
    const content = lines[line - 1] ?? '';
    const standsAlone = /^\s*(?:#|$)/.test(content);
    if (!standsAlone) next = line;
    const start = commentStart(content);
    if (start < 0) continue;
    const place = { file, line, column: start + 1, endLine: line, endColumn: content.length + 1 };
    comments.push({ text: content.slice(start), place, line: (standsAlone ? next : line) ?? line });
  }
  return comments.reverse();
}

const DIRECTIVE = 'userns-audit:';

/** Offset of the `#` before `userns-audit:`, at the start of the line or after a blank; -1 where there is none. */
function commentStart(line: string): number {
  for (let at = line.indexOf(DIRECTIVE); at !== -1; at = line.indexOf(DIRECTIVE, at + 1)) {
    let run = at;
    while (run > 0 && /[#\s]/.test(line.charAt(run - 1))) run--;
    const start = line.slice(run, at).search(run === 0 ? /#/ : /(?<=\s)#/);
    if (start !== -1) return run + start;
  }
  return -1;
}

function parseWaiver(entry: string): ParsedWaivers {
  const colon = entry.indexOf(':');
  const head = (colon < 0 ? entry : entry.slice(0, colon)).trim();
  const reason = colon < 0 ? '' : entry.slice(colon + 1).trim();
  const [before = '', date, ...rest] = head.split(/\suntil\s+/);
  const names = before.trim();
  const rules = names.split(',').map((name) => name.trim());
  if (rest.length > 0 || rules.some((rule) => !/^[a-z][a-z0-9-]*$/.test(rule)))
    return flaw('unused-waiver', `"${head}" does not begin with a rule; write "RULE: REASON"`);
  if (!/\p{L}/u.test(reason))
    return flaw('waiver-without-reason', `the waiver of ${names} gives no reason; write "RULE: REASON"`);
  if (date === undefined) return { waivers: rules.map((rule) => ({ rule, reason })), flaws: [] };
  const until = parseExpiryDate(date);
  if (until === undefined)
    return flaw(
      'expired-waiver',
      `the waiver of ${names} names "${date}", which is not a date; write "until YYYY-MM-DD"`,
    );
  return { waivers: rules.map((rule) => ({ rule, reason, until })), flaws: [] };
}

function flaw(kind: WaiverFlaw['kind'], message: string): ParsedWaivers {
  return { waivers: [], flaws: [{ kind, message }] };
}

function merge(parts: readonly ParsedWaivers[]): ParsedWaivers {
  return { waivers: parts.flatMap(({ waivers }) => waivers), flaws: parts.flatMap(({ flaws }) => flaws) };
}
