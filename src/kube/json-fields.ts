/** Which fields of a JSON value are wanted: all of it, or of an object only some; a list's elements are all treated alike. */
export type Fields = true | { readonly [name: string]: Fields };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;
const BRACKET_MASK = 0x5f;

/** Wanted names by their length, each with its bytes. */
type Wanted = readonly (
  readonly { readonly name: string; readonly bytes: Buffer; readonly fields: Fields }[] | undefined
)[];

const prepared = new WeakMap<object, Wanted>();

/**
 * Parses JSON and makes objects only of the fields that are wanted: of a list of pods that is a tenth, and making the rest is what a
 * large list costs most. What is skipped is followed to its end and not checked otherwise: an API server is trusted to send JSON, and a
 * text that was cut is still found out.
 * @param onItem takes the elements of the outermost `items` one by one, and they are not in the result: a page of objects that live
 * until its end is copied to the old generation of the heap, whose collection costs as much as reading them
 * @throws SyntaxError with the place; the items before it have been told by then
 */
export function parseFields(bytes: Buffer, fields: Fields, onItem?: (item: unknown) => void): unknown {
  const reader = createReader(bytes);
  const value = reader.value(fields, onItem);
  reader.end();
  return value;
}

function createReader(bytes: Buffer) {
  const { length } = bytes;
  let at = 0;

  function fail(what: string): never {
    throw new SyntaxError(`${what} at byte ${at} of ${length}`);
  }

  /** The next byte that is no white space; -1 at the end. */
  function peek(): number {
    for (; at < length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte > SPACE) return byte;
    }
    return -1;
  }

  function expect(byte: number): void {
    if (peek() !== byte) fail(`no ${String.fromCharCode(byte)}`);
    at += 1;
  }

  /** From behind the opening quote to behind the closing one. The place is kept in a local: these loops see every byte. */
  function skipString(): void {
    let place = at;
    while (place < length) {
      const byte = bytes[place];
      if (byte === QUOTE) {
        at = place + 1;
        return;
      }
      place += byte === BACKSLASH ? 2 : 1;
    }
    at = length;
    fail('a text without end');
  }

  /** From behind the opening bracket to behind its closing one. */
  function skipNested(): void {
    let place = at;
    let depth = 1;
    while (place < length) {
      const byte = bytes[place] ?? 0;
      place += 1;
      if (byte === QUOTE) {
        while (place < length && bytes[place] !== QUOTE) place += bytes[place] === BACKSLASH ? 2 : 1;
        place += 1;
      } else if (byte >= OPEN_LIST) {
        // Brackets of both kinds differ in one bit: `[` and `{`, `]` and `}`.
        const kind = byte & BRACKET_MASK;
        if (kind === OPEN_LIST) depth += 1;
        else if (kind === CLOSE_LIST) {
          depth -= 1;
          if (depth === 0) {
            at = place;
            return;
          }
        }
      }
    }
    at = length;
    fail('an object or a list without end');
  }

  function skip(): void {
    const first = peek();
    at += 1;
    if (first === QUOTE) skipString();
    else if (first === OPEN_OBJECT || first === OPEN_LIST) skipNested();
    else if (first === -1 || first === CLOSE_OBJECT || first === CLOSE_LIST || first === COMMA || first === COLON)
      fail('no value');
    else
      for (; at < length; at += 1) {
        const byte = bytes[at] ?? 0;
        if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte <= SPACE) return;
      }
  }

  /** A text of plain characters, which most are, from behind its opening quote; `undefined` where it is none, and nothing is read. */
  function plainString(): string | undefined {
    for (let place = at; place < length; place += 1) {
      const byte = bytes[place] ?? 0;
      if (byte === BACKSLASH || byte >= 0x80 || byte < SPACE) return undefined;
      if (byte !== QUOTE) continue;
      const text = bytes.toString('latin1', at, place);
      at = place + 1;
      return text;
    }
    return undefined;
  }

  /** A value as JSON.parse has it. */
  function whole(): unknown {
    const first = peek();
    const start = at;
    if (first === QUOTE) {
      at += 1;
      const text = plainString();
      if (text !== undefined) return text;
      at = start;
    }
    skip();
    return JSON.parse(bytes.toString('utf8', start, at));
  }

  /** The fields wanted of the name at hand, which is read with its colon. */
  function name(wanted: Wanted): { readonly name: string; readonly fields: Fields } | undefined {
    expect(QUOTE);
    const start = at;
    skipString();
    const candidates = wanted[at - 1 - start];
    const found = candidates?.find((candidate) => matches(candidate.bytes, start));
    expect(COLON);
    return found;
  }

  function matches(expected: Buffer, start: number): boolean {
    for (let index = 0; index < expected.length; index += 1) if (bytes[start + index] !== expected[index]) return false;
    return true;
  }

  function object(fields: Exclude<Fields, true>, onItem?: (item: unknown) => void): unknown {
    const wanted = prepare(fields);
    const result: Record<string, unknown> = {};
    at += 1;
    if (peek() === CLOSE_OBJECT) {
      at += 1;
      return result;
    }
    for (;;) {
      const found = name(wanted);
      if (!found) skip();
      else if (onItem && found.name === 'items' && peek() === OPEN_LIST) elements(found.fields, onItem);
      else result[found.name] = value(found.fields);
      if (peek() === COMMA) {
        at += 1;
        continue;
      }
      expect(CLOSE_OBJECT);
      return result;
    }
  }

  function elements(fields: Fields, take: (element: unknown) => void): void {
    at += 1;
    if (peek() === CLOSE_LIST) {
      at += 1;
      return;
    }
    for (;;) {
      take(value(fields));
      if (peek() === COMMA) {
        at += 1;
        continue;
      }
      expect(CLOSE_LIST);
      return;
    }
  }

  function list(fields: Fields): unknown {
    const result: unknown[] = [];
    elements(fields, (element) => result.push(element));
    return result;
  }

  function value(fields: Fields, onItem?: (item: unknown) => void): unknown {
    const first = peek();
    if (fields === true) return whole();
    if (first === OPEN_OBJECT) return object(fields, onItem);
    return first === OPEN_LIST ? list(fields) : whole();
  }

  return {
    value,
    end() {
      if (peek() !== -1) fail('more than one value');
    },
  };
}

function prepare(fields: Exclude<Fields, true>): Wanted {
  const known = prepared.get(fields);
  if (known) return known;
  const wanted: { name: string; bytes: Buffer; fields: Fields }[][] = [];
  for (const [name, inner] of Object.entries(fields)) {
    const bytes = Buffer.from(name);
    (wanted[bytes.length] ??= []).push({ name, bytes, fields: inner });
  }
  prepared.set(fields, wanted);
  return wanted;
}
