/** The fields of /proc/PID/status the audit uses (proc_pid_status(5)). */
export interface ProcessStatus {
  readonly parent: number;
  /** Real user id, as the reader's user namespace counts. */
  readonly uid: number;
  /** Pid in each PID namespace from the reader's inwards. Absent before Linux 4.1. */
  readonly nspid: readonly number[] | undefined;
}

/** Parses /proc/PID/status; `undefined` when a field that always stands there is missing. */
export function parseProcessStatus(text: string): ProcessStatus | undefined {
  const field = (name: string): readonly string[] | undefined =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim().split(/\s+/);
  const parent = Number(field('PPid')?.[0]);
  const uid = Number(field('Uid')?.[0]);
  if (!Number.isInteger(parent) || !Number.isInteger(uid)) return undefined;
  return { parent, uid, nspid: field('NSpid')?.map(Number) };
}

/** The fields of /proc/PID/stat the audit uses (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly command: string;
  /** One letter; `Z` and `X` have no namespaces left. */
  readonly state: string;
  readonly parent: number;
  /** `PF_KTHREAD` is set in `flags` (include/linux/sched.h). */
  readonly kernelThread: boolean;
  /** Clock ticks after boot. With the pid it identifies a process for good. */
  readonly startTime: number;
}

const PF_KTHREAD = 0x00200000;

/** Parses /proc/PID/stat. The command may hold any character, blanks and parentheses too, so it ends at the last `)`. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open === -1 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const [parent, flags, startTime] = [Number(fields[1]), Number(fields[6]), Number(fields[19])];
  if (!Number.isInteger(parent) || !Number.isInteger(flags) || !Number.isInteger(startTime)) return undefined;
  return {
    command: text.slice(open + 1, close),
    state: fields[0] ?? '',
    parent,
    kernelThread: (flags & PF_KTHREAD) !== 0,
    startTime,
  };
}
