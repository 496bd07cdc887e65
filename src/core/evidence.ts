import type { Setting } from './facts.ts';
import type { Evidence } from './finding.ts';
import type { Reading } from './reading.ts';

/** A reading as evidence: the value, or why there is none. */
export function evidenceOf<T>(reading: Reading<T>, format: (value: T) => string = String): Evidence {
  const value = reading.ok ? format(reading.value) : `${reading.why}: ${reading.detail}`;
  return { source: reading.source, value };
}

/** A setting as evidence. */
export function evidenceOfSetting<T>(setting: Setting<T>, name: string): Evidence {
  return { source: setting.source, value: `${name}: ${String(setting.value)}` };
}
