import type { Profile } from '../../core/profile.ts';

/** Every profile, sorted by id. */
export const PROFILES: readonly Profile[] = [];
