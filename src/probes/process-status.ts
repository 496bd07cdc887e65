/** The fields of /proc/PID/status the audit uses (proc_pid_status(5)). */
export interface ProcessStatus {
  /** At most 15 bytes; newlines and backslashes escaped. The process chooses it (prctl(2), PR_SET_NAME). */
  readonly command: string;
  /** One letter; `Z` and `X` have no namespaces left. */
  readonly state: string;
  readonly parent: number;
  /** Real user id, as the reader's user namespace counts. */
  readonly uid: number;
  /** Pid in each PID namespace from the reader's inwards. Absent before Linux 4.1. */
  readonly nspid: readonly number[] | undefined;
}

// Blanks and tabs as the kernel writes them (fs/proc/array.c); a name can not fake a line, for newlines in it are escaped.
const NAME = /^Name:\t(.*)$/m;
const STATE = /^State:\t(\S)/m;
const PPID = /^PPid:\t(\d+)$/m;
const UID = /^Uid:\t(\d+)\t/m;
const NSPID = /^NSpid:\t([\d\t]+)$/m;

/** Parses /proc/PID/status; `undefined` when a field that always stands there is missing. */
export function parseProcessStatus(text: string): ProcessStatus | undefined {
  const parent = Number(PPID.exec(text)?.[1] ?? NaN);
  const uid = Number(UID.exec(text)?.[1] ?? NaN);
  if (!Number.isInteger(parent) || !Number.isInteger(uid)) return undefined;
  const [command = '', state = ''] = [NAME, STATE].map((pattern) => pattern.exec(text)?.[1]);
  return { command, state, parent, uid, nspid: NSPID.exec(text)?.[1]?.split('\t').map(Number) };
}

/** The fields of /proc/PID/stat the audit uses (proc_pid_stat(5)). */
export interface ProcessStat {
  /** `PF_KTHREAD` is set in `flags` (include/linux/sched.h). */
  readonly kernelThread: boolean;
  /** Clock ticks after boot. With the pid it identifies a process for good. */
  readonly startTime: number;
}

const PF_KTHREAD = 0x00200000;

/** Parses /proc/PID/stat. The command may hold any character, blanks and parentheses too, so it ends at the last `)`. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const close = text.lastIndexOf(')');
  if (close === -1) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const [flags, startTime] = [Number(fields[6]), Number(fields[19])];
  if (!Number.isInteger(flags) || !Number.isInteger(startTime)) return undefined;
  return {
    kernelThread: (flags & PF_KTHREAD) !== 0,
    startTime,
  };
}
