import { type Reading, read, unread } from '../core/reading.ts';
import type { HostFs } from './host-fs.ts';

/** `\xff Go buildinf:` (src/debug/buildinfo/buildinfo.go of Go). */
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
/** The flag of the format since Go 1.18: the strings follow the header. */
const INLINE_STRINGS = 2;
const MAX_BUILD_INFO = 256 * 1024;

/**
 * The build information a Go program carries (`go version -m FILE`): lines such as `mod\tPATH\tVERSION` and
 * `build\t-ldflags=…`. `malformed` for anything but a 64-bit little-endian ELF built by Go 1.18 or later.
 */
export function readGoBuildInfo(host: HostFs, path: string): Reading<string> {
  const section = findSection(host, path, '.go.buildinfo');
  if (!section.ok) return section;
  const bytes = host.readAt(path, section.value.offset, Math.min(section.value.size, MAX_BUILD_INFO));
  if (!bytes.ok) return bytes;
  const data = Buffer.from(bytes.value);
  const start = data.indexOf(MAGIC);
  if (start === -1 || ((data[start + 15] ?? 0) & INLINE_STRINGS) === 0)
    return unread(path, 'malformed', 'no build information of Go 1.18 or later');
  const version = readString(data, start + 32);
  const modules = version && readString(data, version.end);
  if (!modules) return unread(path, 'malformed', 'cut build information');
  // The module text stands between two 16-byte marks.
  return read(path, modules.text.slice(16, -16));
}

/** A length as unsigned varint, then that many bytes. */
function readString(data: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = data[at + i];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** i;
    if (byte >= 0x80) continue;
    const start = at + i + 1;
    if (start + length > data.length) return undefined;
    return { text: data.toString('latin1', start, start + length), end: start + length };
  }
  return undefined;
}

/** Size of a section header of a 64-bit ELF file; Go programs have some forty sections. */
const ENTRY_BYTES = 64;
const MAX_SECTIONS = 4096;

interface Section {
  readonly offset: number;
  readonly size: number;
}

/** Where a named section lies in an ELF file (elf(5)). */
function findSection(host: HostFs, path: string, name: string): Reading<Section> {
  const headerBytes = host.readAt(path, 0, 64);
  if (!headerBytes.ok) return headerBytes;
  const header = Buffer.from(headerBytes.value);
  const isElf64Little =
    header.length === 64 && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
  if (!isElf64Little) return unread(path, 'malformed', 'not a 64-bit little-endian ELF file');
  const [tableOffset, entrySize, count, namesIndex] = [
    Number(header.readBigUInt64LE(40)),
    header.readUInt16LE(58),
    header.readUInt16LE(60),
    header.readUInt16LE(62),
  ];
  // The file is whatever runs there: what it claims must not decide how much is read.
  if (entrySize !== ENTRY_BYTES || count > MAX_SECTIONS) return unread(path, 'malformed', 'broken section table');
  const tableBytes = host.readAt(path, tableOffset, entrySize * count);
  if (!tableBytes.ok) return tableBytes;
  const table = Buffer.from(tableBytes.value);
  if (table.length < entrySize * count || namesIndex >= count) return unread(path, 'malformed', 'broken section table');
  const section = (index: number): Section & { readonly name: number } => ({
    name: table.readUInt32LE(index * entrySize),
    offset: Number(table.readBigUInt64LE(index * entrySize + 24)),
    size: Number(table.readBigUInt64LE(index * entrySize + 32)),
  });
  const namesAt = section(namesIndex);
  const names = host.readAt(path, namesAt.offset, Math.min(namesAt.size, 65_536));
  if (!names.ok) return names;
  const text = Buffer.from(names.value).toString('latin1');
  for (let index = 0; index < count; index++) {
    const candidate = section(index);
    if (text.startsWith(`${name}\0`, candidate.name)) return read(path, candidate);
  }
  return unread(path, 'malformed', `no section ${name}, not a Go program`);
}
