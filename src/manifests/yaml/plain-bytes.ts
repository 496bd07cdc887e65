/** Sets of bytes, as a table each: one look instead of several comparisons. */
function byteSet(characters: string, ranges: readonly (readonly [number, number])[] = []): Uint8Array {
  const set = new Uint8Array(256);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  for (const [from, to] of ranges) set.fill(1, from, to + 1);
  return set;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LETTER = byteSet(LETTERS);
const WORD = byteSet(`${LETTERS}0123456789_./-`);
const PRINTABLE: readonly (readonly [number, number])[] = [[32, 126]];
/** What stands in any text without meaning anything. */
const TEXT = byteSet('\t', PRINTABLE);
/** The same within a plain scalar. A tab may break its indentation. */
const PLAIN = without(byteSet('', PRINTABLE), ':#');
/** What a plain scalar may begin with; bytes beyond ASCII are looked at by themselves. */
const PLAIN_START = without(byteSet('', [[33, 255]]), '[]{},"\'-?:*&!|>%@`#\x7f');

function without(set: Uint8Array, characters: string): Uint8Array {
  for (const character of characters) set[character.charCodeAt(0)] = 0;
  return set;
}

export function isLetter(byte: number): boolean {
  return LETTER[byte] === 1;
}

/** Letters, digits and `_ . / -`. */
export function isWord(byte: number): boolean {
  return WORD[byte] === 1;
}

export function skipSpaces(bytes: Buffer, from: number): number {
  let position = from;
  while (bytes[position] === 32) position++;
  return position;
}

/** A space, a line feed, or the end. */
export function isGap(bytes: Buffer, position: number, end: number): boolean {
  return position === end || bytes[position] === 32 || bytes[position] === 10;
}

/** True for a byte that a plain scalar in a block may begin with. */
export function startsPlain(bytes: Buffer, position: number, end: number): boolean {
  const byte = bytes[position] ?? 0;
  if (PLAIN_START[byte] === 1) return true;
  // A tab after it makes it an entry of a list.
  return byte === 45 && !isGap(bytes, position + 1, end) && (bytes[position + 1] ?? 0) > 32;
}

/** Offset of the first byte that is not text: the end of the line, or what has to be looked at by the scanner. */
export function textEnd(bytes: Buffer, from: number): number {
  return endIn(TEXT, bytes, from);
}

/** The same for the bytes of a set. */
export function endIn(set: Uint8Array, bytes: Buffer, from: number): number {
  let position = from;
  for (;;) {
    while (set[bytes[position] ?? 0] === 1) position++;
    if (!isHarmless(bytes, position)) return position;
    position++;
  }
}

/**
 * Beyond ASCII, in valid UTF-8: true but for C1 controls and U+0085 (C2 80 to C2 9F), U+2028 and U+2029 (E2 80 A8, E2 80 A9), and
 * all that begins with EF, where the byte order mark and the noncharacters are.
 */
function isHarmless(bytes: Buffer, position: number): boolean {
  const byte = bytes[position] ?? 0;
  if (byte < 0x80 || byte === 0xef) return false;
  const next = bytes[position + 1] ?? 0;
  if (byte === 0xc2) return next >= 0xa0;
  return byte !== 0xe2 || next !== 0x80 || ((bytes[position + 2] ?? 0) & 0xfe) !== 0xa8;
}

/** Where the part of a plain scalar on this line ends: at the `#` of a comment, at the line feed, or at what needs the scanner. */
export function plainLineEnd(bytes: Buffer, from: number): number {
  for (let position = from; ; position++) {
    position = endIn(PLAIN, bytes, position);
    const byte = bytes[position];
    if (byte === 58) {
      // `: ` would make it a key.
      if ((bytes[position + 1] ?? 0) <= 32) return position;
    } else if (byte !== 35 || bytes[position - 1] === 32) return position;
  }
}
