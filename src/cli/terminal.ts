import type { Paint } from '../report/paint.ts';

/** What a command may know of the process it runs in, and how it speaks; `main.ts` makes the only one. */
export interface Terminal {
  readonly paint: Paint;
  readonly cwd: string;
  /** `2026-11-24`: what expiry dates are compared with. */
  readonly today: string;
  readonly version: string;
  /** True when somebody watches standard error. */
  readonly watched: boolean;
  readonly print: (text: string) => void;
  /** To standard error: errors, progress, and what must not mix with a report. */
  readonly tell: (text: string) => void;
}
