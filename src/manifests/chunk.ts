import { isUtf8 } from 'node:buffer';

/** A stretch of a file from one document separator to the next. */
export interface Chunk {
  /** Its text, and a few characters beyond `limit`: the next `---`, or a closing NUL. */
  readonly text: string;
  /** Where its text ends. */
  readonly limit: number;
  /** The line of the file it starts on, from 1; 0 until `numberLines` was asked for it. */
  line: number;
  /** Offset of its first byte in the UTF-8 bytes of the file. */
  readonly byteStart: number;
}

/** The bytes of a file in UTF-8 with a closing NUL. */
export interface SourceBytes {
  readonly bytes: Buffer;
  /** Without the NUL. */
  readonly length: number;
  /** What is not UTF-8 is read as U+FFFD, and kubectl refuses it. */
  readonly valid: boolean;
}

/** Takes UTF-16 with a byte order mark too, as PowerShell writes it and go-yaml reads it. */
export function sourceBytes(raw: Buffer): SourceBytes {
  return terminatedBytes(Buffer.concat([raw, Buffer.alloc(1)]), raw.length);
}

/** The same for bytes[0, length) that have a NUL after them already. */
export function terminatedBytes(bytes: Buffer, length: number): SourceBytes {
  const mark = length >= 2 ? bytes.readUInt16BE(0) : 0;
  if (mark === 0xfffe || mark === 0xfeff) return sourceBytes(fromUtf16(bytes.subarray(2, length), mark === 0xfeff));
  return { bytes, length, valid: isUtf8(bytes.subarray(0, length)) };
}

function fromUtf16(raw: Buffer, bigEndian: boolean): Buffer {
  const even = Buffer.from(raw.subarray(0, raw.length & ~1));
  return Buffer.from((bigEndian ? even.swap16() : even).toString('utf16le'));
}

/**
 * Cuts a file at every `---` that starts a line, the only place YAML has it, and decodes piece by piece: what is kept of one
 * document does not keep the others in memory. Directives stay with the document they speak of. Pieces that `isDone` says yes to
 * are left out; it sees bytes[start, end), of a file that is valid UTF-8.
 */
export function* chunksOf(
  { bytes, length, valid }: SourceBytes,
  isDone: (start: number, end: number) => boolean = () => false,
): Iterable<Chunk> {
  for (let start = 0, end = 0; start < length; start = end) {
    end = nextSeparator(bytes, start, length);
    if (valid && isDone(start, end)) continue;
    // `---` and the character after it, as the scanner looks that far.
    const text = bytes.toString('utf8', start, Math.min(end + 4, length + 1));
    const beyond = Math.min(4, length + 1 - end);
    yield { text, limit: text.length - beyond, line: start === 0 ? 1 : 0, byteStart: start };
  }
}

const SEPARATOR = Buffer.from('\n---');

/** Offset of the `---` that ends the piece, or the length. */
function nextSeparator(bytes: Buffer, start: number, length: number): number {
  const own = hasDirective(bytes, start, length) ? separatorAfter(bytes, Math.max(start - 1, 0), length) : start;
  return separatorAfter(bytes, own, length);
}

function separatorAfter(bytes: Buffer, start: number, length: number): number {
  const within = bytes.subarray(0, length);
  for (let at = within.indexOf(SEPARATOR, start); at !== -1; at = within.indexOf(SEPARATOR, at + 1)) {
    if (at + 4 >= length || isBlankByte(within[at + 4])) return at + 1;
  }
  return length;
}

function isBlankByte(byte: number | undefined): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13;
}

/** True where `%YAML` or `%TAG` comes before anything but comments and blank lines. */
function hasDirective(bytes: Buffer, start: number, length: number): boolean {
  let position = start;
  while (position < length) {
    const byte = bytes[position];
    if (byte === 37) return true;
    if (byte === 35) {
      const end = bytes.indexOf(10, position);
      if (end === -1 || end >= length) return false;
      position = end + 1;
    } else if (isBlankByte(byte) || (byte ?? 0) >= 0xbb) position++;
    else return false;
  }
  return false;
}

/** How far the lines of a file are counted. */
export interface LineCount {
  byte: number;
  line: number;
}

/**
 * Gives a chunk its line number; chunks must come in order. Only those are counted that hold something to point at, as most
 * documents do not.
 */
export function numberLines({ bytes }: SourceBytes, counted: LineCount, chunk: Chunk): void {
  if (chunk.line !== 0) return;
  const between = bytes.toString('latin1', counted.byte, chunk.byteStart);
  counted.line += countBreaks(between);
  counted.byte = chunk.byteStart;
  chunk.line = counted.line;
}

/** Line breaks as editors count them: LF, CRLF, CR. */
function countBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return text.includes('\r') ? count + (text.match(/\r(?!\n)/g)?.length ?? 0) : count;
}

const JSON_START = /\ufeff?(?:---[ \t]*(?:#[^\n]*)?\n\ufeff?)?[ \t\r\n]*(?=[{[])/y;

/** Where the first brace or bracket of a chunk is that begins like JSON; undefined for others. */
export function jsonStart({ text }: Chunk): number | undefined {
  JSON_START.lastIndex = 0;
  return JSON_START.test(text) ? JSON_START.lastIndex : undefined;
}
