import { syntaxFault } from './syntax-error.ts';
import { FLOW, NO_CHILDREN, NODE, OPEN } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import { MAX_DEPTH, STYLE, VERBATIM } from './yaml/scanner.ts';

interface JsonParser {
  readonly text: string;
  readonly limit: number;
  position: number;
}

/**
 * The JSON values in text[start, limit), one after the other as `kubectl` takes them from a file that begins with `{`. `text` has
 * a character that is not JSON at `limit`. Strict RFC 8259; throws a SyntaxFault.
 */
export function parseJson(text: string, start: number, limit: number): YamlNode[] {
  const parser: JsonParser = { text, limit, position: start };
  const values: YamlNode[] = [];
  for (;;) {
    skipBlanks(parser);
    if (parser.position >= limit) return values;
    values.push(parseValue(parser, 0));
  }
}

function skipBlanks(parser: JsonParser): number {
  const { text } = parser;
  let code = text.charCodeAt(parser.position);
  while (code === 32 || code === 10 || code === 13 || code === 9) code = text.charCodeAt(++parser.position);
  return code;
}

function parseValue(parser: JsonParser, depth: number): YamlNode {
  switch (skipBlanks(parser)) {
    case 123:
      return parseObject(parser, depth);
    case 91:
      return parseArray(parser, depth);
    case 34:
      return parseString(parser);
    default:
      return parsePrimitive(parser);
  }
}

function makeNode(type: YamlNode['type'], start: number, end: number, detail: number): YamlNode {
  const children = type === NODE.SCALAR ? NO_CHILDREN : [];
  return { type, start, end, detail, tag: undefined, anchored: false, children, target: undefined };
}

function openCollection(parser: JsonParser, type: YamlNode['type'], depth: number): YamlNode {
  if (depth > MAX_DEPTH) {
    throw syntaxFault(
      parser.position,
      `nested deeper than ${MAX_DEPTH} levels: exclude this file if it is meant to be so`,
    );
  }
  return makeNode(type, parser.position++, OPEN, FLOW);
}

function parseObject(parser: JsonParser, depth: number): YamlNode {
  const node = openCollection(parser, NODE.MAPPING, depth);
  for (let code = skipBlanks(parser); code !== 125;) {
    if (code !== 34) throw syntaxFault(parser.position, 'expected a key in double quotes', node.start);
    node.children.push(parseString(parser));
    if (skipBlanks(parser) !== 58) throw syntaxFault(parser.position, "expected ':' after the key", node.start);
    parser.position++;
    node.children.push(parseValue(parser, depth + 1));
    code = afterElement(parser, node, 125);
  }
  node.end = ++parser.position;
  return node;
}

function parseArray(parser: JsonParser, depth: number): YamlNode {
  const node = openCollection(parser, NODE.SEQUENCE, depth);
  for (let code = skipBlanks(parser); code !== 93;) {
    node.children.push(parseValue(parser, depth + 1));
    code = afterElement(parser, node, 93);
  }
  node.end = ++parser.position;
  return node;
}

/** Goes over a comma, which must not be the last; returns the code of what follows: the next element or the closing bracket. */
function afterElement(parser: JsonParser, { start }: YamlNode, closing: number): number {
  const code = skipBlanks(parser);
  if (code === closing) return code;
  if (code !== 44) throw syntaxFault(parser.position, `expected ',' or '${String.fromCharCode(closing)}'`, start);
  parser.position++;
  const next = skipBlanks(parser);
  if (next === closing) throw syntaxFault(parser.position, 'JSON has no comma after the last element', start);
  return next;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

function parseString(parser: JsonParser): YamlNode {
  const { text, position: start } = parser;
  let detail = STYLE.DOUBLE | VERBATIM;
  let position = start + 1;
  for (;;) {
    const code = text.charCodeAt(position);
    if (code === 34) break;
    if (code === 92) {
      detail = STYLE.JSON;
      ESCAPE.lastIndex = position;
      if (!ESCAPE.test(text)) throw syntaxFault(position, 'found an escape that JSON does not know', start);
      position = ESCAPE.lastIndex;
    } else if (code < 32) throw syntaxFault(position, 'this string is not closed on its line', start);
    else position++;
  }
  parser.position = position + 1;
  return makeNode(NODE.SCALAR, start, position + 1, detail);
}

const PRIMITIVE = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;

function parsePrimitive(parser: JsonParser): YamlNode {
  const { text, position } = parser;
  PRIMITIVE.lastIndex = position;
  if (!PRIMITIVE.test(text)) throw syntaxFault(position, 'expected a JSON value');
  parser.position = PRIMITIVE.lastIndex;
  return makeNode(NODE.SCALAR, position, PRIMITIVE.lastIndex, STYLE.PLAIN | VERBATIM);
}
