import { readFileSync, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import type { ScanProblem } from '../core/scan-finding.ts';
import type { FieldPath } from '../core/workload.ts';
import { chunksOf, sourceBytes } from './chunk.ts';
import { parseChunk } from './document.ts';
import type { ParsedChunk } from './document.ts';
import type { ObjectSource } from './located.ts';
import { textOf } from './objects.ts';
import { placeIn } from './place.ts';
import { isSyntaxFault } from './syntax-error.ts';
import { entriesOf } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import { scalarText } from './yaml/scalar-text.ts';

/** A Compose file whose services are read, or are extended by those of another. */
export interface ComposeFile {
  readonly parsed: ParsedChunk;
  readonly source: ObjectSource;
  readonly services: YamlNode;
  /** As shown to people. */
  readonly path: string;
  /** Absolute path of the directory that `file:` starts from; undefined where the text has none. */
  readonly directory: string | undefined;
}

/** A field of a service in the words of one of the services it was put together from. */
export interface ServicePart {
  readonly file: ComposeFile;
  readonly value: YamlNode;
  readonly path: FieldPath;
}

/** The fields of a service: those of one that is merged item by item have a part of each service, the extended one's first. */
export type ServiceFields = ReadonlyMap<string, readonly ServicePart[]>;

/** Lists whose items are those of both services, and mappings whose keys are (compose-spec 05-services.md, `extends`). */
const COMBINED = new Set(['cap_add', 'cap_drop', 'security_opt', 'labels', 'networks']);

/** Further than this nobody extends. */
const MAX_EXTENDS = 50;
const MAX_BYTES = 64 * 1024 * 1024;

/** What following `extends` needs to know and tell. */
export interface Following {
  readonly files: Map<string, ComposeFile | string>;
  readonly report: (problem: ScanProblem) => void;
}

/** The fields of a service with those it extends, in this file and others; what cannot be followed is reported. */
export function serviceFields(
  file: ComposeFile,
  name: string,
  following: Following,
  trail: readonly string[] = [],
): ServiceFields {
  const service = entriesOf(file.parsed, file.services).get(name);
  if (service === undefined) return new Map();
  const own = entriesOf(file.parsed, service.value);
  const fields = new Map(
    extendedFields(file, own.get('extends')?.value, following, [...trail, `${file.path} ${name}`]),
  );
  for (const [key, { value }] of own) {
    const part: ServicePart = { file, value, path: ['services', name, key] };
    fields.set(key, COMBINED.has(key) ? [...(fields.get(key) ?? []), part] : [part]);
  }
  return fields;
}

function extendedFields(
  file: ComposeFile,
  extending: YamlNode | undefined,
  following: Following,
  trail: readonly string[],
): ServiceFields {
  if (extending === undefined) return new Map();
  const refuse = (reason: string): ServiceFields => {
    const place = file.source.placeOf(file.parsed.chunk, resolveAlias(extending));
    following.report({ kind: 'unparsable', message: `\`extends\` cannot be followed: ${reason}`, place, fatal: true });
    return new Map();
  };
  const node = resolveAlias(extending);
  const name = node.type === NODE.SCALAR ? scalarText(file.parsed.text, node) : textOf(file.parsed, node, 'service');
  if (name === undefined) return refuse('it names no service');
  const named = node.type === NODE.MAPPING ? textOf(file.parsed, node, 'file') : undefined;
  const base = named === undefined ? file : openFile(file, named, following);
  if (typeof base === 'string') return refuse(base);
  if (!entriesOf(base.parsed, base.services).has(name)) return refuse(`${base.path} has no service ${name}`);
  const at = trail.indexOf(`${base.path} ${name}`);
  if (at !== -1 || trail.length > MAX_EXTENDS) {
    return refuse(
      `the services go round in a circle: ${[...trail.slice(Math.max(at, 0)), `${base.path} ${name}`].join(' → ')}`,
    );
  }
  return serviceFields(base, name, following, trail);
}

/** Another Compose file, from the directory of the one that names it; or why it cannot be had. */
function openFile(file: ComposeFile, named: string, { files }: Following): ComposeFile | string {
  if (named.includes('$'))
    return `the file ${named} has a variable in its name: write the name out, or pipe \`docker compose config\` to \`scan -\``;
  if (named.includes('://'))
    return `${named} is not on this machine, and is not fetched: pipe \`docker compose config\` to \`scan -\``;
  if (file.directory === undefined) return `it is not known where ${named} is`;
  const absolutePath = resolve(file.directory, named);
  const known = files.get(absolutePath);
  if (known !== undefined) return known;
  const opened = readFile(absolutePath, posix.join(posix.dirname(file.path), named));
  files.set(absolutePath, opened);
  return opened;
}

function readFile(absolutePath: string, joined: string): ComposeFile | string {
  const path = joined.startsWith('..') ? absolutePath : joined;
  try {
    const stats = statSync(absolutePath);
    if (!stats.isFile() || stats.size > MAX_BYTES) return `${path} is no file, or a very large one`;
    const bytes = sourceBytes(readFileSync(absolutePath));
    for (const chunk of chunksOf(bytes)) {
      chunk.line ||= 1 + (bytes.bytes.toString('latin1', 0, chunk.byteStart).match(/\r\n|\r|\n/g)?.length ?? 0);
      const found = fileIn(parseChunk(chunk, 'yaml'), path, resolve(absolutePath, '..'));
      if (found !== undefined) return found;
    }
    return `${path} has no services`;
  } catch (error) {
    if (isSyntaxFault(error)) return `${path} is not valid YAML: ${error.message}`;
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? `there is no file ${path}` : (error as Error).message;
  }
}

function fileIn(parsed: ParsedChunk, path: string, directory: string): ComposeFile | undefined {
  for (const [rootIndex, root] of parsed.roots.entries()) {
    const services = entriesOf(parsed, root).get('services')?.value;
    if (services === undefined) continue;
    const { chunk, syntax } = parsed;
    const source: ObjectSource = { chunk, syntax, rootIndex, objectPath: [], placeOf: placesIn(path) };
    return { parsed, source, services, path, directory };
  }
  return undefined;
}

/** Apart from the reading, so that no node of the file is held on to. */
function placesIn(path: string): ObjectSource['placeOf'] {
  return (chunk, span) => placeIn(path, chunk, span);
}
