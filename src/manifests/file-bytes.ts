import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { SourceBytes } from './chunk.ts';

let shared: Buffer = Buffer.alloc(1 << 20);

/** Why a file was not read. */
export interface TooLarge {
  readonly size: number;
}

/**
 * The bytes of a file with a closing NUL, in a buffer that the next call takes again: what is decoded of it is kept, the bytes
 * are not. Reading thousands of files into buffers of their own costs more than looking at them. Throws as node:fs does.
 */
export function readFileBytes(path: string, maxBytes: number): Pick<SourceBytes, 'bytes' | 'length'> | TooLarge {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size > maxBytes) return { size };
    let length = 0;
    for (;;) {
      if (shared.length < Math.max(size, length) + 2) shared = grown(shared, Math.max(size, length) + 2);
      const count = readSync(descriptor, shared, length, shared.length - 1 - length, null);
      length += count;
      // A file that grows meanwhile, and one like /dev/stdin, say nothing of their size.
      if (count === 0) break;
      if (length > maxBytes) return { size: length };
    }
    shared[length] = 0;
    return { bytes: shared, length };
  } finally {
    closeSync(descriptor);
  }
}

function grown(old: Buffer, size: number): Buffer {
  const larger = Buffer.alloc(Math.max(size, old.length * 2));
  old.copy(larger);
  return larger;
}
