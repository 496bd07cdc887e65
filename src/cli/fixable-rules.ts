/** Rules whose finding one edit mends, whatever else the workload is. The first is what `fix` does unasked. */
export const FIXABLE_RULES = [
  'user-namespace',
  'host-pid-namespace',
  'host-ipc-namespace',
  'host-network-namespace',
  'host-uts-namespace',
  'unmasked-proc-mount',
] as const;
export type FixableRule = (typeof FIXABLE_RULES)[number];
