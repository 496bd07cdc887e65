import type { BootParameters } from './facts.ts';

/**
 * A module parameter of type bool as the kernel reads it (kernel/params.c, lib/kstrtox.c): `-` and `_` are one, no value means
 * true, what is no boolean is refused and changes nothing, the last one wins. `undefined` when it is not given.
 */
export function booleanParameter(parameters: BootParameters, name: string): boolean | undefined {
  return parameters
    .filter((parameter) => canonical(parameter.name) === canonical(name))
    .map(({ value }) => parseBoolean(value ?? '1'))
    .findLast((value) => value !== undefined);
}

function parseBoolean(value: string): boolean | undefined {
  if (/^(?:[yYtT1]|[oO][nN])/.test(value)) return true;
  return /^(?:[nNfF0]|[oO][fF])/.test(value) ? false : undefined;
}

function canonical(name: string): string {
  return name.replaceAll('-', '_');
}
