import { syntaxFault } from '../syntax-error.ts';

const STANDARD = 'tag:yaml.org,2002:';

export const TAG = {
  STRING: `${STANDARD}str`,
  BOOLEAN: `${STANDARD}bool`,
  INTEGER: `${STANDARD}int`,
  FLOAT: `${STANDARD}float`,
  NULL: `${STANDARD}null`,
  TIMESTAMP: `${STANDARD}timestamp`,
  BINARY: `${STANDARD}binary`,
  MERGE: `${STANDARD}merge`,
} as const;

/**
 * The prefixes of tag handles from the directives of a document. kubectl refuses %YAML 1.2; here it is read like 1.1, as other
 * tools have files that say so. Throws a SyntaxFault at `offset`.
 */
export function readDirectives(directives: readonly string[], offset: number): Map<string, string> {
  const prefixes = new Map<string, string>();
  let versions = 0;
  for (const directive of directives) {
    const [name, handle = '', prefix = ''] = directive.split(/[ \t]+/);
    if (name === '%TAG') {
      if (prefixes.has(handle)) throw syntaxFault(offset, `found duplicate %TAG directive for ${handle}`);
      prefixes.set(handle, decodeUri(prefix));
    } else if (++versions > 1) throw syntaxFault(offset, 'found duplicate %YAML directive');
    else if (!/^0?1\.\d+$/.test(handle)) throw syntaxFault(offset, `found incompatible YAML version ${handle}`);
  }
  if (!prefixes.has('!')) prefixes.set('!', '!');
  if (!prefixes.has('!!')) prefixes.set('!!', STANDARD);
  return prefixes;
}

/** The full name of a tag as written: `!!str` → `tag:yaml.org,2002:str`. Throws a SyntaxFault at `offset`. */
export function resolveTag(raw: string, prefixes: ReadonlyMap<string, string>, offset: number): string {
  if (raw.startsWith('!<')) return decodeUri(raw.slice(2, -1));
  if (raw === '!') return raw;
  const handle = /^![\w-]*!/.exec(raw)?.[0] ?? '!';
  const prefix = prefixes.get(handle);
  if (prefix === undefined) throw syntaxFault(offset, `found undefined tag handle ${handle}: declare it with %TAG`);
  return prefix + decodeUri(raw.slice(handle.length));
}

function decodeUri(uri: string): string {
  return uri.includes('%') ? decodeURIComponent(uri) : uri;
}
