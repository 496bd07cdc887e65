import type { DockerFacts } from './facts.ts';

/** The user of Docker's `userns-remap` that counts, `off`, or `unknown` where a place that may set it could not be read. */
export type UsernsRemap = { readonly state: 'on' | 'off'; readonly value: string } | { readonly state: 'unknown' };

/** `root`, uid 0 and the empty text are taken and mean off (moby, daemon_unix.go, parseRemappedRoot). */
export function usernsRemapOf({ usernsRemap: [setting], unread }: DockerFacts): UsernsRemap {
  if (!setting && unread.length > 0) return { state: 'unknown' };
  const value = setting?.value ?? '';
  return { state: value === '' || /^(?:root|0)(?::|$)/.test(value) ? 'off' : 'on', value };
}
