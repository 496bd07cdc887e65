import type { BootParameters } from '../core/facts.ts';
import { andThen, type Reading, read } from '../core/reading.ts';
import type { HostFs } from '../host/host-fs.ts';

/** The command line the running kernel was booted with (kernel admin-guide/kernel-parameters). */
export function readBootParameters(host: HostFs): Reading<BootParameters> {
  return andThen(host.readText('/proc/cmdline', 65_536), (text, source) => read(source, parseBootParameters(text)));
}

/**
 * Splits a kernel command line as lib/cmdline.c (next_arg) does: blanks separate, double quotes protect them and are dropped
 * around a whole word or a value, and everything after a bare `--` is for init.
 */
export function parseBootParameters(text: string): BootParameters {
  const parameters = splitWords(text).map(parseWord);
  const end = parameters.findIndex(({ name, value }) => name === '--' && value === undefined);
  return end === -1 ? parameters : parameters.slice(0, end);
}

/** Not by an expression: a quote may stand in the middle of a word, and one that is never closed runs to the end. */
function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let [start, inQuotes] = [0, false];
  for (let at = 0; at <= text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"') inQuotes = !inQuotes;
    const ends = at === text.length || (!inQuotes && /^[ \t\n\v\f\r]$/.test(character));
    if (!ends) continue;
    if (at > start) words.push(text.slice(start, at));
    start = at + 1;
  }
  return words;
}

function parseWord(word: string): BootParameters[number] {
  const bare = unquote(word);
  // A "=" in the first place is part of the name.
  const equals = bare.indexOf('=', 1);
  if (equals === -1) return { name: bare };
  return { name: bare.slice(0, equals), value: unquote(bare.slice(equals + 1)) };
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1).replace(/"$/, '') : text;
}
