import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chunksOf, sourceBytes } from '../chunk.ts';
import { parseChunk } from '../document.ts';
import { formatPath } from '../format-path.ts';
import type { InputFile, ManifestEdit } from '../manifest.ts';
import { entriesOf } from '../yaml/mapping.ts';
import type { Tree } from '../yaml/mapping.ts';
import type { YamlNode } from '../yaml/node.ts';
import { resolveAlias } from '../yaml/node.ts';

const MAX_SHOWN = 3;

/** Which value of a chart to set, as its templates are never edited: those of values.yaml with the name of the field. */
export function helmHint({ absolutePath, path }: InputFile, edit: ManifestEdit): string {
  const field = String(edit.path.at(-1));
  const wanted = 'set' in edit ? `${field}: ${String(edit.set)}` : `no ${field}`;
  const names = valuesNamed(join(absolutePath, 'values.yaml'), field);
  const file = path === '.' ? 'values.yaml' : `${path}/values.yaml`;
  if (names.length === 0) {
    return `a Helm template is not edited: the values have no ${field}, so write ${wanted} in the template or ask for a value`;
  }
  const shown = names.slice(0, MAX_SHOWN).join(', ') + (names.length > MAX_SHOWN ? ', …' : '');
  const value = 'set' in edit ? `to ${String(edit.set)}` : 'to its default, or false';
  return `a Helm template is not edited: set ${shown} ${value} in ${file} or by --set`;
}

/** Paths of the values that are called as a field, in any case. */
function valuesNamed(file: string, field: string): readonly string[] {
  try {
    return [...chunksOf(sourceBytes(readFileSync(file)))].flatMap((chunk) => {
      const parsed = parseChunk(chunk, 'yaml');
      return parsed.roots.flatMap((root) => [...namedBelow(parsed, root, field.toLowerCase(), [])]);
    });
  } catch {
    return [];
  }
}

function* namedBelow(tree: Tree, node: YamlNode, field: string, path: readonly string[]): Iterable<string> {
  if (path.length > 20) return;
  for (const [name, { value }] of entriesOf(tree, resolveAlias(node))) {
    if (name.toLowerCase() === field) yield formatPath([...path, name]);
    else yield* namedBelow(tree, value, field, [...path, name]);
  }
}
