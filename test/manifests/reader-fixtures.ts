import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifestText } from '../../src/manifests/index.ts';
import type { Manifests, ReadOptions } from '../../src/manifests/index.ts';

export function fixtureText(name: string): string {
  return readFileSync(join(import.meta.dirname, '../fixtures/manifests/reader', name), 'utf8');
}

export function readFixture(name: string, options: Partial<ReadOptions> = {}): Manifests {
  return readManifestText(fixtureText(name), name, options);
}

/** A place that a fixture marks: `#  ^ 0 hostPID` below a line, `#< 0 hostPID` for its first column. */
export interface Mark {
  readonly workload: number;
  readonly path: readonly (string | number)[];
  readonly line: number;
  readonly column: number;
}

export function marksOf(text: string): readonly Mark[] {
  let content = 0;
  return text.split('\n').flatMap((line, index) => {
    const mark = /^#(?: *\^|<) (\d+) (\S+)$/.exec(line);
    if (mark === null) {
      content = index + 1;
      return [];
    }
    const path = (mark[2] ?? '').split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    return [{ workload: Number(mark[1]), path, line: content, column: Math.max(line.indexOf('^'), 0) + 1 }];
  });
}
