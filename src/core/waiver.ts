import type { Place } from './workload.ts';

/** A comment `# userns-audit: waive <rule>: <reason>` in a manifest. */
export interface WaiverComment {
  /** The comment from its `#` on. */
  readonly text: string;
  readonly place: Place;
  /** The line it speaks of: its own, or for a comment that stands alone the next line with content. */
  readonly line: number;
}
