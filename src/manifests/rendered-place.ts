import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../core/workload.ts';
import type { Chunk } from './chunk.ts';
import type { InputFile } from './manifest.ts';
import type { PlaceOf } from './place.ts';
import { kustomizationFile } from './rendered-directory.ts';

/**
 * Places in what Helm rendered are those of the template it came from, which Helm names in a comment; the line is the only one
 * there that reads the same, at the same indentation or at another, or has the same key. A line that comes from a helper has the
 * place of the nearest field around it that does not; without one it is the first line. Of a template with several objects only
 * the part with the object's kind, and name where two have it, is looked at, so that lines all of them have are told apart.
 */
export function helmPlaces(input: InputFile): PlaceOf {
  const templates = new Map<string, readonly string[] | undefined>();
  return (chunk, span) => {
    const source = sourceComment(chunk, span.start);
    const inChart = source?.split('/').slice(1).join('/');
    if (inChart === undefined) return wholeFile(`${prefixOf(input)}Chart.yaml`);
    if (!templates.has(inChart)) templates.set(inChart, readLines(join(input.absolutePath, inChart)));
    const lines = templates.get(inChart);
    const file = `${prefixOf(input)}${lines === undefined ? 'Chart.yaml' : inChart}`;
    if (lines === undefined) return wholeFile(file);
    const part = partOf(lines, chunk.text);
    for (const text of linesAround(chunk, span.start)) {
      const place = sameLine(file, part, text);
      if (place !== undefined) return place;
    }
    return wholeFile(file, part.first + 1);
  };
}

/** Lines of a template from `first` on, counted from 0. */
interface TemplatePart {
  readonly lines: readonly string[];
  readonly first: number;
}

/** The part between two `---` that a rendered object comes from; the whole template where that is not certain. */
function partOf(lines: readonly string[], rendered: string): TemplatePart {
  const kind = /^kind: .+$/m.exec(rendered)?.[0].trimEnd();
  const name = /^ {2}name: .+$/m.exec(rendered)?.[0].trimEnd();
  const starts = [0, ...lines.flatMap((line, index) => (line.startsWith('---') && index > 0 ? [index] : []))];
  const parts = starts.map((first, index) => ({ lines: lines.slice(first, starts[index + 1]), first }));
  const alike = parts.filter((part) => part.lines.some((line) => line.trimEnd() === kind));
  const named = alike.filter((part) => part.lines.some((line) => line.trimEnd() === name));
  const [only] = alike.length === 1 ? alike : named.length === 1 ? named : [];
  return only ?? { lines, first: 0 };
}

/** Places in what kustomize built are its kustomization file: nothing tells where a line came from. */
export function kustomizePlaces(input: InputFile): PlaceOf {
  const file = `${prefixOf(input)}${kustomizationFile(input.absolutePath) ?? ''}`;
  return () => wholeFile(file);
}

function prefixOf({ path }: InputFile): string {
  return path === '.' ? '' : `${path}/`;
}

/** The last `# Source: chart/templates/file.yaml` before an offset. */
function sourceComment(chunk: Chunk, offset: number): string | undefined {
  return [...chunk.text.slice(0, offset).matchAll(/^# Source: (.+?)\r?$/gm)].at(-1)?.[1];
}

/** The line of an offset, and those of the fields around it, the innermost first. */
function* linesAround(chunk: Chunk, offset: number): Iterable<string> {
  let indent = Infinity;
  for (let at = offset; at >= 0; at = chunk.text.lastIndexOf('\n', at - 1)) {
    const text = lineAt(chunk, at === offset ? at : Math.max(at - 1, 0));
    const own = text.length - text.trimStart().length;
    if (at !== offset && (own >= indent || /^\s*(?:#|---|$)/.test(text))) continue;
    yield text;
    indent = own;
  }
}

function lineAt({ text }: Chunk, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return text.slice(start, end === -1 ? text.length : end).trimEnd();
}

function readLines(path: string): readonly string[] | undefined {
  try {
    return readFileSync(path, 'utf8').split(/\r\n|\r|\n/);
  } catch {
    return undefined;
  }
}

function sameLine(file: string, { lines, first }: TemplatePart, wanted: string): Place | undefined {
  const bare = withoutDash(wanted);
  const key = /^[\w.-]+:/.exec(bare)?.[0];
  const index =
    onlyIndex(lines, (line) => line.trimEnd() === wanted) ??
    onlyIndex(lines, (line) => withoutDash(line) === bare) ??
    (key === undefined ? undefined : onlyIndex(lines, (line) => withoutDash(line).startsWith(key)));
  const line = index === undefined ? undefined : lines[index];
  if (index === undefined || line === undefined) return undefined;
  const column = line.length - line.trimStart().length + 1;
  const number = first + index + 1;
  return { file, line: number, column, endLine: number, endColumn: line.trimEnd().length + 1 };
}

function withoutDash(line: string): string {
  return line.trim().replace(/^- /, '');
}

function onlyIndex(lines: readonly string[], matches: (line: string) => boolean): number | undefined {
  const first = lines.findIndex(matches);
  return first === -1 || lines.findLastIndex(matches) !== first ? undefined : first;
}

function wholeFile(file: string, line = 1): Place {
  return { file, line, column: 1, endLine: line, endColumn: 1 };
}
