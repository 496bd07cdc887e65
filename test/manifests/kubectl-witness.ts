import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What kubectl's own Go libraries make of a text (witness/main.go). */
export interface Testimony {
  readonly documents: readonly unknown[] | null;
  readonly error?: string;
  /** It drops what follows the first document. */
  readonly rest?: boolean;
}

const SOURCE = join(import.meta.dirname, 'witness');

/** Builds the witness once for every state of its source; undefined where there is no Go. */
function buildWitness(): string | undefined {
  const hash = createHash('sha256')
    .update(readFileSync(join(SOURCE, 'main.go')))
    .update(readFileSync(join(SOURCE, 'go.sum')));
  const directory = join(tmpdir(), 'userns-audit-witness');
  const binary = join(directory, hash.digest('hex').slice(0, 16));
  if (existsSync(binary)) return binary;
  mkdirSync(directory, { recursive: true });
  const { error, status, stderr } = spawnSync('go', ['build', '-o', binary, '.'], { cwd: SOURCE, encoding: 'utf8' });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined;
  if (status !== 0) throw new Error(`go build of the witness failed:\n${stderr}`);
  return binary;
}

export const WITNESS = buildWitness();

/** `single`: every text is one document; else a stream as `kubectl create -f -` splits it. */
export function testify(texts: readonly string[], mode: 'single' | 'stream'): readonly Testimony[] {
  if (WITNESS === undefined) throw new Error('These tests need Go, to build what kubectl reads manifests with.');
  const input = texts.map((text) => `${JSON.stringify(text)}\n`).join('');
  const { stdout } = spawnSync(WITNESS, mode === 'single' ? ['-single'] : [], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Testimony);
}
