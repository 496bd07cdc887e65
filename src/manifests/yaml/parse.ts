import { syntaxFault } from '../syntax-error.ts';
import { FLOW, NO_CHILDREN, NODE, OPEN, UNBUILT } from './node.ts';
import type { YamlNode } from './node.ts';
import { outlineOf } from './outline.ts';
import type { Outline } from './outline.ts';
import { scanTokens } from './scan.ts';
import { STYLE, TOKEN, VERBATIM } from './scanner.ts';
import { readDirectives, resolveTag } from './tag.ts';

/** What the parser holds: a place among the tokens, and what the document has declared so far. */
interface Parser {
  readonly text: string;
  readonly tokens: Int32Array;
  /** False: the grammar is checked, and no nodes are made but for anchors. */
  readonly build: boolean;
  at: number;
  anchors: Map<string, YamlNode>;
  tagPrefixes: Map<string, string>;
}

/** The tag and anchor before a node. */
interface Properties {
  readonly tag: string | undefined;
  readonly anchor: string | undefined;
}

const NO_PROPERTIES: Properties = { tag: undefined, anchor: undefined };

/**
 * The documents in text[0, limit), by the grammar of go-yaml v2. `text` ends with a NUL; at `limit` stands that or the
 * `---` of the next document. There is more than one only after `...`. An empty document has an empty scalar for its root;
 * a text of comments alone has no document. Where `isWanted` says no to the outline of a document, its grammar is checked as
 * that of any other, and its root is UNBUILT: making nodes is half of the work. Throws a SyntaxFault.
 */
export function parseYaml(
  text: string,
  limit: number,
  oddBreaks: boolean,
  isWanted: (outline: Outline) => boolean = () => true,
): YamlNode[] {
  const scanner = scanTokens(text, limit, oddBreaks);
  const outline = outlineOf(scanner);
  const build = outline === undefined || isWanted(outline);
  const parser: Parser = { text, tokens: scanner.tokens, build, at: 0, anchors: new Map(), tagPrefixes: new Map() };
  const documents: YamlNode[] = [];
  for (;;) {
    while (peek(parser) === TOKEN.DOCUMENT_END) next(parser);
    if (peek(parser) === TOKEN.STREAM_END) return documents;
    documents.push(parseDocument(parser));
  }
}

function parseDocument(parser: Parser): YamlNode {
  const directives: string[] = [];
  while (peek(parser) === TOKEN.DIRECTIVE) {
    directives.push(tokenText(parser));
    next(parser);
  }
  parser.anchors = new Map();
  parser.tagPrefixes = readDirectives(directives, startOf(parser));
  const explicit = peek(parser) === TOKEN.DOCUMENT_START;
  if (!explicit && directives.length > 0) throw fault(parser, "did not find expected '---' after a directive");
  if (explicit) next(parser);
  const root =
    explicit && endsDocument(peek(parser)) ? emptyScalar(parser, startOf(parser)) : parseNode(parser, true, false);
  if (!endsDocument(peek(parser))) {
    throw fault(parser, 'found content after the end of the document: check the indentation, or put --- before it');
  }
  return root;
}

function endsDocument(type: number): boolean {
  return type <= TOKEN.DOCUMENT_END;
}

function peek(parser: Parser): number {
  let type = parser.tokens[parser.at] ?? TOKEN.STREAM_END;
  while (type === TOKEN.NONE) {
    parser.at += 4;
    type = parser.tokens[parser.at] ?? TOKEN.STREAM_END;
  }
  return type;
}

function next(parser: Parser): number {
  parser.at += 4;
  return peek(parser);
}

function startOf(parser: Parser): number {
  return parser.tokens[parser.at + 1] ?? 0;
}

function endOf(parser: Parser): number {
  return parser.tokens[parser.at + 2] ?? 0;
}

function tokenText(parser: Parser): string {
  return parser.text.slice(startOf(parser), endOf(parser));
}

function fault(parser: Parser, message: string, openedAt?: number): Error {
  return syntaxFault(startOf(parser), message, openedAt);
}

/** `block`: block collections may start here; `indentless`: so may a sequence at the column of its parent mapping. */
function parseNode(parser: Parser, block: boolean, indentless: boolean): YamlNode {
  const first = peek(parser);
  if (first === TOKEN.ALIAS) return parseAlias(parser);
  const properties = first === TOKEN.ANCHOR || first === TOKEN.TAG ? parseProperties(parser) : NO_PROPERTIES;
  const type = peek(parser);
  switch (type) {
    case TOKEN.SCALAR: {
      const detail = parser.tokens[parser.at + 3] ?? 0;
      const node = makeNode(parser, NODE.SCALAR, detail, properties);
      close(node, endOf(parser));
      next(parser);
      return node;
    }
    case TOKEN.FLOW_MAPPING_START:
      return parseFlowMapping(parser, makeNode(parser, NODE.MAPPING, FLOW, properties));
    case TOKEN.FLOW_SEQUENCE_START:
      return parseFlowSequence(parser, makeNode(parser, NODE.SEQUENCE, FLOW, properties));
    default: {
      const collection = block ? parseBlockCollection(parser, type, indentless, properties) : undefined;
      if (collection !== undefined) return collection;
      if (properties === NO_PROPERTIES) throw fault(parser, unexpected(type));
      const empty = makeNode(parser, NODE.SCALAR, STYLE.PLAIN | VERBATIM, properties);
      close(empty, empty.start);
      return empty;
    }
  }
}

function parseBlockCollection(
  parser: Parser,
  type: number,
  indentless: boolean,
  properties: Properties,
): YamlNode | undefined {
  switch (type) {
    case TOKEN.BLOCK_MAPPING_START:
      return parseBlockMapping(parser, makeNode(parser, NODE.MAPPING, 0, properties));
    case TOKEN.BLOCK_SEQUENCE_START: {
      const node = makeNode(parser, NODE.SEQUENCE, 0, properties);
      next(parser);
      return parseBlockSequence(parser, node, true);
    }
    case TOKEN.BLOCK_ENTRY:
      return indentless ? parseBlockSequence(parser, makeNode(parser, NODE.SEQUENCE, 0, properties), false) : undefined;
    default:
      return undefined;
  }
}

function parseAlias(parser: Parser): YamlNode {
  const start = startOf(parser);
  const name = parser.text.slice(start + 1, endOf(parser));
  const target = parser.anchors.get(name);
  if (target === undefined) throw fault(parser, `unknown anchor '${name}' referenced`);
  if (target.end === OPEN) throw fault(parser, `anchor '${name}' value contains itself`);
  const end = endOf(parser);
  next(parser);
  if (!parser.build) return UNBUILT;
  return { type: NODE.ALIAS, start, end, detail: 0, tag: undefined, anchored: false, children: NO_CHILDREN, target };
}

/** At most one tag and one anchor, in any order. */
function parseProperties(parser: Parser): Properties {
  let tag: string | undefined;
  let anchor: string | undefined;
  for (;;) {
    const type = peek(parser);
    if (type === TOKEN.ANCHOR && anchor === undefined) anchor = tokenText(parser).slice(1);
    else if (type === TOKEN.TAG && tag === undefined) {
      tag = resolveTag(tokenText(parser), parser.tagPrefixes, startOf(parser));
    } else return { tag, anchor };
    next(parser);
  }
}

/** A node that starts at the current token and is not closed yet. */
function makeNode(parser: Parser, type: YamlNode['type'], detail: number, { tag, anchor }: Properties): YamlNode {
  if (!parser.build && anchor === undefined) return UNBUILT;
  const node: YamlNode = {
    type,
    start: startOf(parser),
    end: OPEN,
    detail,
    tag,
    anchored: anchor !== undefined,
    children: type === NODE.SCALAR ? NO_CHILDREN : [],
    target: undefined,
  };
  if (anchor !== undefined) parser.anchors.set(anchor, node);
  return node;
}

function emptyScalar(parser: Parser, at: number): YamlNode {
  if (!parser.build) return UNBUILT;
  return {
    type: NODE.SCALAR,
    start: at,
    end: at,
    detail: STYLE.PLAIN | VERBATIM,
    tag: undefined,
    anchored: false,
    children: NO_CHILDREN,
    target: undefined,
  };
}

function adopt(node: YamlNode, child: YamlNode): void {
  if (child !== UNBUILT) node.children.push(child);
}

/** A block collection ends with its last child. */
function closeBlock(node: YamlNode): YamlNode {
  close(node, node.children.at(-1)?.end ?? node.start);
  return node;
}

function close(node: YamlNode, end: number): void {
  if (node !== UNBUILT) node.end = end;
}

function parseBlockMapping(parser: Parser, node: YamlNode): YamlNode {
  next(parser);
  for (;;) {
    const type = peek(parser);
    if (type === TOKEN.BLOCK_END) {
      next(parser);
      return closeBlock(node);
    }
    if (type !== TOKEN.KEY) throw fault(parser, 'did not find expected key: check the indentation', node.start);
    adopt(node, parseAfterMark(parser, true));
    adopt(node, peek(parser) === TOKEN.VALUE ? parseAfterMark(parser, true) : emptyScalar(parser, startOf(parser)));
  }
}

/** The node after a `?` or `:` token, which may be missing. */
function parseAfterMark(parser: Parser, indentless: boolean): YamlNode {
  const mark = endOf(parser);
  const type = next(parser);
  const missing = type === TOKEN.KEY || type === TOKEN.VALUE || type === TOKEN.BLOCK_END;
  return missing ? emptyScalar(parser, mark) : parseNode(parser, true, indentless);
}

/** `closed`: the sequence has an end token of its own; an indentless one ends where no `-` follows. */
function parseBlockSequence(parser: Parser, node: YamlNode, closed: boolean): YamlNode {
  for (;;) {
    const type = peek(parser);
    if (type !== TOKEN.BLOCK_ENTRY) {
      if (!closed) return closeBlock(node);
      if (type !== TOKEN.BLOCK_END) {
        throw fault(parser, "did not find expected '-' indicator: check the indentation", node.start);
      }
      next(parser);
      return closeBlock(node);
    }
    const mark = endOf(parser);
    const after = next(parser);
    const missing =
      after === TOKEN.BLOCK_ENTRY ||
      after === TOKEN.BLOCK_END ||
      (!closed && (after === TOKEN.KEY || after === TOKEN.VALUE));
    adopt(node, missing ? emptyScalar(parser, mark) : parseNode(parser, true, false));
  }
}

function parseFlowMapping(parser: Parser, node: YamlNode): YamlNode {
  let type = next(parser);
  for (let first = true; type !== TOKEN.FLOW_MAPPING_END; first = false, type = peek(parser)) {
    if (!first) {
      if (type !== TOKEN.FLOW_ENTRY) throw fault(parser, "did not find expected ',' or '}'", node.start);
      type = next(parser);
      if (type === TOKEN.FLOW_MAPPING_END) break;
    }
    if (type === TOKEN.KEY) {
      const after = next(parser);
      const missing = after === TOKEN.VALUE || after === TOKEN.FLOW_ENTRY || after === TOKEN.FLOW_MAPPING_END;
      adopt(node, missing ? emptyScalar(parser, startOf(parser)) : parseNode(parser, false, false));
      adopt(node, parseFlowValue(parser, TOKEN.FLOW_MAPPING_END));
    } else {
      const key = parseNode(parser, false, false);
      adopt(node, key);
      adopt(node, emptyScalar(parser, key.end));
    }
  }
  close(node, endOf(parser));
  next(parser);
  return node;
}

function parseFlowSequence(parser: Parser, node: YamlNode): YamlNode {
  let type = next(parser);
  for (let first = true; type !== TOKEN.FLOW_SEQUENCE_END; first = false, type = peek(parser)) {
    if (!first) {
      if (type !== TOKEN.FLOW_ENTRY) throw fault(parser, "did not find expected ',' or ']'", node.start);
      type = next(parser);
      if (type === TOKEN.FLOW_SEQUENCE_END) break;
    }
    adopt(node, type === TOKEN.KEY ? parseFlowPair(parser) : parseNode(parser, false, false));
  }
  close(node, endOf(parser));
  next(parser);
  return node;
}

/** `[key: value]`: a mapping of one pair within a sequence. */
function parseFlowPair(parser: Parser): YamlNode {
  const pair = makeNode(parser, NODE.MAPPING, FLOW, NO_PROPERTIES);
  const after = next(parser);
  const missing = after === TOKEN.VALUE || after === TOKEN.FLOW_ENTRY || after === TOKEN.FLOW_SEQUENCE_END;
  if (missing) {
    adopt(pair, emptyScalar(parser, startOf(parser)));
    // go-yaml drops the token here, so that `[? : x]` is an error and nothing else is left to tell.
    next(parser);
  } else adopt(pair, parseNode(parser, false, false));
  adopt(pair, parseFlowValue(parser, TOKEN.FLOW_SEQUENCE_END));
  return closeBlock(pair);
}

/** The value after a key in brackets, or an empty one. */
function parseFlowValue(parser: Parser, closing: number): YamlNode {
  if (peek(parser) !== TOKEN.VALUE) return emptyScalar(parser, startOf(parser));
  const mark = endOf(parser);
  const after = next(parser);
  return after === TOKEN.FLOW_ENTRY || after === closing ? emptyScalar(parser, mark) : parseNode(parser, false, false);
}

function unexpected(type: number): string {
  switch (type) {
    case TOKEN.FLOW_MAPPING_END:
    case TOKEN.FLOW_SEQUENCE_END:
      return 'found a closing bracket that nothing opened';
    case TOKEN.STREAM_END:
    case TOKEN.DOCUMENT_START:
    case TOKEN.DOCUMENT_END:
      return 'the document ends within a collection in brackets, or where a value is expected';
    case TOKEN.BLOCK_ENTRY:
      return "did not find expected node content: '-' has no meaning here";
    default:
      return 'did not find expected node content';
  }
}
