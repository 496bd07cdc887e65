import type { Chunk } from '../../src/manifests/chunk.ts';
import { parseChunk } from '../../src/manifests/document.ts';
import { isSyntaxFault } from '../../src/manifests/syntax-error.ts';
import { checkContent, plainValue } from '../../src/manifests/yaml/check.ts';

/** Values of a YAML text, or why there are none. Anything but a syntax fault is thrown on. */
export type ReadValues = { readonly values: readonly unknown[] } | { readonly error: string };

export function chunkOf(text: string): Chunk {
  return { text: `${text}\0`, limit: text.length, line: 1, byteStart: 0 };
}

/** Reads a text as one chunk; duplicate keys are let pass, as kubectl does. */
export function readYaml(text: string): ReadValues {
  try {
    const parsed = parseChunk(chunkOf(text), 'yaml');
    const fault = parsed.roots
      .flatMap((root) => checkContent(parsed, root))
      .find(({ duplicateOf }) => duplicateOf === undefined);
    if (fault !== undefined) return { error: fault.message };
    return { values: parsed.roots.length === 0 ? [null] : parsed.roots.map((root) => plainValue(parsed, root)) };
  } catch (error) {
    if (!isSyntaxFault(error)) throw error;
    return { error: error.message };
  }
}
