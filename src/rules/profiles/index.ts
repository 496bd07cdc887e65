import type { Profile } from '../../core/profile.ts';
import { cisDocker } from './cis-docker-1-6.ts';
import { cisKubernetes } from './cis-kubernetes.ts';
import { disaStig } from './disa-stig.ts';
import { nsaCisa } from './nsa-cisa.ts';
import { podSecurityBaseline } from './pod-security-baseline.ts';
import { podSecurityRestricted } from './pod-security-restricted.ts';
import { usernsRollout } from './userns-rollout.ts';

/** Every profile, sorted by id. */
export const PROFILES: readonly Profile[] = [
  cisDocker,
  cisKubernetes,
  disaStig,
  nsaCisa,
  podSecurityBaseline,
  podSecurityRestricted,
  usernsRollout,
];
