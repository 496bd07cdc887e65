import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { sourceBytes, terminatedBytes } from './chunk.ts';
import type { SourceBytes } from './chunk.ts';
import { readFileBytes } from './file-bytes.ts';
import { unreadableProblem } from './inputs.ts';
import { withOrigins } from './kustomize-origin.ts';
import type { InputFile, Manifests, ReadOptions } from './manifest.ts';
import type { PlaceOf } from './place.ts';
import { readSource } from './read-source.ts';
import { renderDirectory } from './render.ts';
import { helmPlaces, kustomizePlaces } from './rendered-place.ts';

const MAX_BYTES = 64 * 1024 * 1024;
const STANDARD_INPUT = 0;

/** Reads one input whole. Never throws for what is in it or that it is not there: that is a problem. */
export function readManifests(input: InputFile, options: ReadOptions): Manifests {
  if (input.problem !== undefined) return without(input, input.problem);
  if (input.origin === 'helm' || input.origin === 'kustomize') {
    const rendering = renderDirectory(input, options);
    if (!rendering.ok) return without(input, rendering.problem);
    if (input.origin === 'helm') {
      return readBytes(input, sourceBytes(rendering.output), options, { placeOf: helmPlaces(input) });
    }
    const built = readBytes(input, sourceBytes(rendering.output), options, { placeOf: kustomizePlaces(input) });
    return { ...built, workloads: withOrigins(input, built.workloads, options) };
  }
  const read = readInput(input, options.maxBytes ?? MAX_BYTES);
  return typeof read === 'string'
    ? without(input, unreadableProblem(input.path, read))
    : readBytes(input, read, options, { keep: input.origin === 'stdin' });
}

/** The same for a text at hand: tests, and callers that have read the file already. */
export function readManifestText(text: string, path: string, options: Partial<ReadOptions> = {}): Manifests {
  const input: InputFile = { origin: 'file', path, absolutePath: path, named: true };
  return readBytes(input, sourceBytes(Buffer.from(text)), { cwd: '.', ...options }, { keep: true });
}

/** The same for an object of an API server. It stands in no file: its places have line 0, and `name` for a file. */
export function readLiveObject(object: unknown, name: string): Manifests {
  const input: InputFile = { origin: 'file', path: name, absolutePath: name, named: true };
  const place = { file: name, line: 0, column: 0, endLine: 0, endColumn: 0 };
  return readBytes(input, sourceBytes(Buffer.from(JSON.stringify(object))), { cwd: '.' }, { placeOf: () => place });
}

const texts = new WeakMap<Manifests, string>();

/** The text of an input that cannot be read a second time: standard input, or a text at hand. */
export function textOfInput(manifests: Manifests): string | undefined {
  return texts.get(manifests);
}

function readBytes(
  input: InputFile,
  source: SourceBytes,
  options: ReadOptions,
  { placeOf, keep }: { readonly placeOf?: PlaceOf; readonly keep?: boolean } = {},
): Manifests {
  const { workloads, sccs, problems, documents } = readSource({
    path: input.path,
    bytes: source,
    directory: input.origin === 'file' ? dirname(resolve(input.absolutePath)) : resolve(options.cwd),
    found: !input.named,
    podSpecPaths: options.podSpecPaths ?? [],
    patch: input.patch === true,
    ...(placeOf === undefined ? {} : { placeOf }),
  });
  const { length } = source;
  const content = source.bytes.subarray(0, length);
  const mentionsUs = placeOf === undefined && content.includes('userns-audit:');
  const manifests: Manifests = {
    input,
    workloads,
    sccs,
    problems,
    documents,
    bytes: length,
    ...(mentionsUs ? { waiverText: content.toString('utf8') } : {}),
  };
  if (keep === true) texts.set(manifests, content.toString('utf8'));
  return manifests;
}

/** The bytes of a file or of standard input, or why they cannot be had. */
function readInput(input: InputFile, maxBytes: number): SourceBytes | string {
  try {
    if (input.origin === 'stdin') {
      const raw = readFileSync(STANDARD_INPUT);
      return raw.length > maxBytes ? tooLarge(raw.length, maxBytes) : sourceBytes(raw);
    }
    const read = readFileBytes(input.absolutePath, maxBytes);
    return 'size' in read ? tooLarge(read.size, maxBytes) : terminatedBytes(read.bytes, read.length);
  } catch (error) {
    return (error as Error).message;
  }
}

function tooLarge(size: number, maxBytes: number): string {
  const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  return `it has ${megabytes(size)} MiB and the limit is ${megabytes(maxBytes)}: exclude it if it is no manifest`;
}

function without(input: InputFile, problem: Manifests['problems'][number]): Manifests {
  return { input, workloads: [], sccs: [], problems: [problem], documents: 0, bytes: 0 };
}
