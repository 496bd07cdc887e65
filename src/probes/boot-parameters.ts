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
  const words: readonly string[] = text.match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? [];
  const end = words.indexOf('--');
  return (end === -1 ? words : words.slice(0, end)).map((word) => {
    const bare = word.startsWith('"') ? word.replace(/^"|"$/g, '') : word;
    const equals = bare.indexOf('=');
    if (equals === -1) return { name: bare };
    return { name: bare.slice(0, equals), value: bare.slice(equals + 1).replace(/^"|"$/g, '') };
  });
}
