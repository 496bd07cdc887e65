import { join } from 'node:path';
import { cachedFrom, fill, lackOf } from './cached-programs.ts';

/** A program that a Go module of the tests pins. */
export interface GoTool {
  /** What it is called in the cache and in messages. */
  readonly name: string;
  /** The directory of its go.mod and go.sum. */
  readonly module: string;
  readonly package: string;
  /** Go files of the module itself. */
  readonly sources?: readonly string[];
}

const SCRIPT = join(import.meta.dirname, 'go-tool.sh');
const TIMEOUT_MS = 900_000;

/**
 * The path of the program, built first when needed, or why it cannot be here. Synchronous, so that a test file can choose between
 * `describe` and `describe.skip`. In CI its lack is an error.
 */
export function requireGoTool(tool: GoTool): { readonly program: string } | { readonly skipped: string } {
  const { name, module, sources = [] } = tool;
  const files = ['go.mod', 'go.sum', ...sources].map((file) => join(module, file));
  const dir = cachedFrom(name, [...files, SCRIPT]);
  const reason = fill(SCRIPT, [name, module, tool.package, dir], TIMEOUT_MS);
  return reason === undefined ? { program: join(dir, name) } : lackOf(name, reason);
}
