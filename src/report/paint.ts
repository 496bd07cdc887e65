import type { Severity } from '../core/finding.ts';

/** What a piece of text is, so that the terminal can show it; plain output returns the text as it is. */
export type Style = 'heading' | 'good' | 'bad' | 'doubt' | 'dim' | 'strong';

export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_, text) => text;

export function severityStyle(severity: Severity): Style {
  if (severity === 'critical' || severity === 'high') return 'bad';
  return severity === 'medium' ? 'doubt' : 'dim';
}
