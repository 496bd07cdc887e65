import { plural } from '../report/scan-report.ts';
import type { Terminal } from './terminal.ts';

export interface Progress {
  /** Says how far it is, when it is time to. */
  tick(files: number, workloads: number): void;
  /** Takes the line away. */
  done(): void;
}

const PATIENCE_MS = 1000;
const INTERVAL_MS = 100;

/** A line on standard error that replaces itself, from the second second on and only where somebody watches. */
export function createProgress(
  { watched, tell }: Pick<Terminal, 'watched' | 'tell'>,
  now: () => number = Date.now,
): Progress {
  let due = now() + PATIENCE_MS;
  let shown = false;
  return {
    tick(files, workloads) {
      if (!watched || now() < due) return;
      due = now() + INTERVAL_MS;
      shown = true;
      tell(`\r\x1b[K${plural(files, 'file')}, ${plural(workloads, 'workload')} …`);
    },
    done() {
      if (shown) tell('\r\x1b[K');
    },
  };
}
