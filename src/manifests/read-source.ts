import type { ScanProblem } from '../core/scan-finding.ts';
import type { Place } from '../core/workload.ts';
import { chunksOf, jsonStart, numberLines } from './chunk.ts';
import type { Chunk, LineCount, SourceBytes } from './chunk.ts';
import { isCompose, readCompose } from './compose.ts';
import { isDockerInspect, readDockerInspect } from './docker-inspect.ts';
import { parseChunk } from './document.ts';
import type { ParsedChunk } from './document.ts';
import { holdsWorkloadKind, readObjects } from './kubernetes.ts';
import type { Findings } from './kubernetes.ts';
import type { PodSpecPath } from './manifest.ts';
import { placeIn, positionOf } from './place.ts';
import type { PlaceOf } from './place.ts';
import { mayBeWorkload } from './plain-kinds.ts';
import { isSyntaxFault } from './syntax-error.ts';
import type { SyntaxFault } from './syntax-error.ts';
import { checkContent, EXCESSIVE_ALIASING } from './yaml/check.ts';
import type { ContentFault } from './yaml/check.ts';
import { keyName } from './yaml/mapping.ts';
import { NODE, UNBUILT } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import type { Outline } from './yaml/outline.ts';
import { scalarValue } from './yaml/scalar-value.ts';
import { isPlainAndUnwanted } from './yaml/plain-document.ts';

/** A text to read, and how places in it are named. */
export interface Source {
  /** As shown to people. */
  readonly path: string;
  readonly bytes: SourceBytes;
  /** Absolute path of the directory that files named in the text start from. */
  readonly directory?: string;
  /**
   * Found in a directory, not asked for by name: a file that cannot be parsed and speaks of nothing that runs containers is then
   * reported without failing the run.
   */
  readonly found: boolean;
  readonly podSpecPaths: readonly PodSpecPath[];
  /** Its objects are patches: fields that are missing are those of the objects they are laid over. */
  readonly patch?: boolean;
  /** Default: the place in the file `path`. */
  readonly placeOf?: PlaceOf;
}

/** So many problems of one file are told one by one. */
const MAX_PROBLEMS = 100;

/** What a text holds. */
export interface SourceContent extends Findings {
  documents: number;
}

/** Reads every document of a text: what cannot be read is a problem, and the others are read all the same. */
export function readSource(source: Source): SourceContent {
  const content: SourceContent = { workloads: [], sccs: [], problems: [], documents: 0 };
  const { bytes } = source;
  if (!bytes.valid) content.problems.push(invalidUtf8(source, bytes));
  const counted: LineCount = { byte: 0, line: 1 };
  const isWanted = (outline: Outline): boolean => mayBeWorkload(outline, source.podSpecPaths);
  const isNoWorkload = (start: number, end: number): boolean => {
    const settled = isPlainAndUnwanted(bytes.bytes, start, end, isWanted);
    if (settled) content.documents++;
    return settled;
  };
  for (const chunk of chunksOf(bytes, isNoWorkload)) {
    const number = (): void => {
      numberLines(bytes, counted, chunk);
    };
    readChunk(source, chunk, { content, number });
  }
  return { ...content, problems: shortened(oneTemplateProblem(content.problems)) };
}

/** `number`: has the chunk know its line. */
function readChunk(
  source: Source,
  chunk: Chunk,
  { content, number }: { readonly content: SourceContent; readonly number: () => void },
): void {
  try {
    const parsed = parseEither(source, chunk);
    if (parsed.roots.some((root) => root !== UNBUILT)) number();
    readDocuments(source, parsed, content);
  } catch (error) {
    if (!isSyntaxFault(error)) throw error;
    number();
    content.documents++;
    content.problems.push(syntaxProblem(source, chunk, error));
  }
}

/** kubectl takes what begins with a brace for JSON, and for YAML where that fails. Throws the fault of what it is meant to be. */
function parseEither(source: Source, chunk: Chunk): ParsedChunk {
  const isWanted = (outline: Outline): boolean => mayBeWorkload(outline, source.podSpecPaths);
  const isJsonFile = source.path.endsWith('.json');
  if (jsonStart(chunk) === undefined && !isJsonFile) return parseChunk(chunk, 'yaml', isWanted);
  try {
    return parseChunk(chunk, 'json');
  } catch (jsonFault) {
    if (!isSyntaxFault(jsonFault)) throw jsonFault;
    try {
      return parseChunk(chunk, 'yaml', isWanted);
    } catch (yamlFault) {
      throw isJsonFile ? jsonFault : yamlFault;
    }
  }
}

/** Apart from the reading: workloads keep it, and a closure keeps whatever its neighbours speak of, here a file and its nodes. */
function placesIn(path: string): PlaceOf {
  return (chunk, span) => placeIn(path, chunk, span);
}

function readDocuments(source: Source, parsed: ParsedChunk, content: SourceContent): void {
  const placeOf = source.placeOf ?? placesIn(source.path);
  const options = { placeOf, podSpecPaths: source.podSpecPaths, patch: source.patch === true };
  for (const [index, root] of parsed.roots.entries()) {
    if (root.type === NODE.SCALAR && root.start === root.end) continue;
    content.documents++;
    if (root === UNBUILT) continue;
    const faults = checkContent(parsed, root).toSorted((a, b) => a.node.start - b.node.start);
    if (isTextAlone(source, parsed, root)) content.problems.push(textProblem(source, placeOf(parsed.chunk, root)));
    const action = faults.find(({ node }) => isTemplateAction(parsed.text, node));
    if (action !== undefined) {
      content.problems.push(templateProblem(placeOf(parsed.chunk, action.node)));
      continue;
    }
    const before = content.workloads.length + content.sccs.length;
    if (faults.every(({ message }) => !message.startsWith(EXCESSIVE_ALIASING))) {
      if (isCompose(parsed, root, source.path))
        readCompose(parsed, index, { placeOf, path: source.path, directory: source.directory }, content);
      else if (isDockerInspect(parsed, root)) readDockerInspect(parsed, index, options, content);
      else readObjects(parsed, index, options, content);
    }
    const matters =
      content.workloads.length + content.sccs.length > before ||
      (faults.length > 0 && (holdsWorkloadKind(parsed, root) || hidesKind(parsed, root, faults)));
    content.problems.push(...contentProblems(source, parsed, faults, { matters, root }));
  }
}

/** A second `kind` or `apiVersion` of a document: who takes the first reads another object than kubectl. */
function hidesKind(parsed: ParsedChunk, root: YamlNode, faults: readonly ContentFault[]): boolean {
  const own = new Set(root.children);
  return faults.some(
    ({ node, duplicateOf }) =>
      duplicateOf !== undefined && own.has(node) && ['kind', 'apiVersion'].includes(keyName(parsed, node) ?? ''),
  );
}

/** A document that is a text and no object though it speaks of one: JSON after a comment, to YAML, is a plain text. */
function isTextAlone({ found }: Source, { text }: ParsedChunk, root: YamlNode): boolean {
  if (root.type !== NODE.SCALAR || scalarValue(text, root) === null) return false;
  return !found || mayRunContainers(text.slice(root.start, root.end));
}

function textProblem({ path }: Source, place: Place): ScanProblem {
  const message = `not valid ${path.endsWith('.json') ? 'JSON' : 'YAML'} of an object: the whole document is one text`;
  return { kind: 'unparsable', message, place, fatal: true };
}

/** Faults of a document: fatal where it holds something to judge, or where kubectl would refuse an object. */
function contentProblems(
  source: Source,
  { chunk, text }: ParsedChunk,
  faults: readonly ContentFault[],
  { matters, root }: { readonly matters: boolean; readonly root: YamlNode },
): readonly ScanProblem[] {
  const shown = matters ? faults : faults.filter(({ duplicateOf }) => duplicateOf === undefined);
  if (shown.length === 0) return [];
  const isObject = matters || mayRunContainers(text.slice(root.start, root.end));
  return shown.slice(0, MAX_PROBLEMS).map(({ node, message, duplicateOf }): ScanProblem => {
    const placeOf = source.placeOf ?? ((of, span) => placeIn(source.path, of, span));
    const earlier = duplicateOf && positionOf(chunk, duplicateOf.start).line;
    const told = earlier === undefined ? message : `${message}, first on line ${earlier}: remove one of them`;
    return { kind: 'unparsable', message: told, place: placeOf(chunk, node), fatal: isObject || !source.found };
  });
}

function syntaxProblem(source: Source, chunk: Chunk, fault: SyntaxFault): ScanProblem {
  const text = chunk.text.slice(0, chunk.limit);
  const offset = fault.offset < chunk.limit ? fault.offset : Math.max(text.trimEnd().length - 1, 0);
  const opened = fault.openedAt === undefined ? undefined : positionOf(chunk, fault.openedAt).line;
  const { line } = positionOf(chunk, offset);
  const since = opened === undefined || opened === line ? '' : ` (it begins on line ${opened})`;
  const placeOf = source.placeOf ?? ((of, span) => placeIn(source.path, of, span));
  const problem: ScanProblem = {
    kind: 'unparsable',
    message: `not valid ${source.path.endsWith('.json') ? 'JSON' : 'YAML'}: ${fault.message}${since}`,
    place: placeOf(chunk, { start: offset, end: offset + 1 }),
    fatal: !source.found || mayRunContainers(text),
  };
  return isTemplateText(text) ? templateProblem(problem.place) : problem;
}

/** Text without any of these words cannot describe a workload, even where it is broken: escapes may hide them. */
function mayRunContainers(text: string): boolean {
  return /kind|services|HostConfig|\\[xuU]|!!binary/.test(text);
}

/** Actions of Go templates or Jinja, which no YAML parser reads. */
function isTemplateText(text: string): boolean {
  return /\{\{|\{%/.test(text);
}

/** `{{ .Values.x }}` where a value stands is a mapping in a mapping to YAML, the inner for a key. */
function isTemplateAction(text: string, { type, start }: YamlNode): boolean {
  return type === NODE.MAPPING && text.startsWith('{{', start - 1);
}

function templateProblem(place: Place): ScanProblem {
  const message =
    'a template ({{ }}), which has to be rendered before it can be judged: pipe the output of its tool to `scan -`, or exclude it';
  return { kind: 'template', message, place, fatal: true };
}

/** A template is broken in many places for one reason. */
function oneTemplateProblem(problems: readonly ScanProblem[]): ScanProblem[] {
  const first = problems.findIndex(({ kind }) => kind === 'template');
  return problems.filter(({ kind }, index) => kind !== 'template' || index === first);
}

/** The first problems and how many more there are: a file that is no manifest at all has thousands. */
function shortened(problems: ScanProblem[]): ScanProblem[] {
  const rest = problems.slice(MAX_PROBLEMS);
  const [first] = rest;
  if (first === undefined) return problems;
  const message = `and ${rest.length} more problems of this file, from here on: ${first.message}`;
  const fatal = rest.some((problem) => problem.fatal);
  return [...problems.slice(0, MAX_PROBLEMS), { ...first, message, fatal }];
}

function invalidUtf8(source: Source, { bytes, length }: SourceBytes): ScanProblem {
  const text = bytes.toString('utf8', 0, length + 1);
  const chunk: Chunk = { text, limit: text.length - 1, line: 1, byteStart: 0 };
  const at = Math.max(text.indexOf('\ufffd'), 0);
  const message = 'not valid UTF-8, which kubectl refuses: save the file as UTF-8';
  const fatal = !source.found || mayRunContainers(text);
  return { kind: 'unparsable', message, place: placeIn(source.path, chunk, { start: at, end: at + 1 }), fatal };
}
