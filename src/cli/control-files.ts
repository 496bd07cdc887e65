import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Why a command can not be carried out as it was given: exit code 2. */
export interface Refusal {
  readonly refusal: string;
}

/** The text of a file that the command line names: a policy, a baseline. */
export function readControlFile(cwd: string, option: string, path: string): string | Refusal {
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code;
    return { refusal: `option '${option} ${path}': ${why}` };
  }
}
