// The greatest lengths of the lists of the custom resources: the schemas say them to the API server, writers cut by them.

/** Most pods one group of a NodeAudit may have; a kubelet runs 110 unless told otherwise. */
export const MAX_PODS_PER_GROUP = 2048;
export const MAX_POD_GROUPS = 64;
export const MAX_UNMANAGED = 50;
export const MAX_NODE_VERDICTS = 32;
export const MAX_EVIDENCE = 16;

export const MAX_FINDINGS = 100;
export const MAX_BLOCKERS = 20;

export const MAX_EXCEPTIONS = 200;
export const MAX_FLOORS = 100;
export const MAX_HISTORY_DAYS = 90;
export const MAX_CRITICAL_FINDINGS = 50;
export const MAX_PROFILES = 16;
export const MAX_CONTROLS = 64;
