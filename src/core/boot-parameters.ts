import type { BootParameters } from './facts.ts';

/**
 * A module parameter of type bool as the kernel reads it (kernel/params.c, lib/kstrtox.c): `-` and `_` are one, the last one
 * wins, no value means true; `undefined` when it is not given or has no boolean value.
 */
export function booleanParameter(parameters: BootParameters, name: string): boolean | undefined {
  const last = parameters.findLast((parameter) => canonical(parameter.name) === canonical(name));
  if (!last) return undefined;
  if (last.value === undefined) return true;
  if (/^(?:[yYtT1]|[oO][nN])/.test(last.value)) return true;
  return /^(?:[nNfF0]|[oO][fF])/.test(last.value) ? false : undefined;
}

function canonical(name: string): string {
  return name.replaceAll('-', '_');
}
