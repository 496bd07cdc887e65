/** The innermost of variables within variables: `$NAME`, `${NAME}`, `${NAME:-default}` and the like; `$$` is a dollar sign. */
const VARIABLE = /\$\$|\$\{[A-Za-z_]\w*(?:(:?[-?+])([^{}]*))?\}|\$[A-Za-z_]\w*/g;
const DOLLAR = '\0';
/** Defaults within defaults deeper than this are left as they are. */
const MAX_DEPTH = 10;

/**
 * A value of a Compose file as it is where no variable is set: `${PID:-host}` is `host`, and what has no default is empty
 * (compose-spec 12-interpolation.md).
 */
export function interpolated(text: string): string {
  let resolved = text;
  for (let depth = 0; depth < MAX_DEPTH && resolved.includes('$'); depth++) {
    resolved = resolved.replace(VARIABLE, (variable, operator?: string, operand?: string) => {
      if (variable === '$$') return DOLLAR;
      return operator?.endsWith('-') === true ? (operand ?? '') : '';
    });
  }
  return resolved.replaceAll(DOLLAR, '$');
}
