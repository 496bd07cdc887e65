/** What `go version -m` would say of a program. */
export interface GoModule {
  readonly module: string;
  readonly version: string;
  /** Arguments of the linker, where the build sets the version by them: `-X main.version=1.2.3`. */
  readonly ldflags?: string;
}

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const NAMES = '\0.shstrtab\0.go.buildinfo\0';

/**
 * The smallest ELF file that carries Go build information (src/debug/buildinfo of Go, format since 1.18): a header, the
 * sections .shstrtab and .go.buildinfo, no code.
 */
export function goProgram({ module, version, ldflags }: GoModule): Buffer {
  const info = buildInfo(module, version, ldflags);
  const names = Buffer.from(NAMES, 'latin1');
  const infoAt = HEADER_BYTES;
  const namesAt = infoAt + info.length;
  const tableAt = namesAt + names.length;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(tableAt), 40);
  header.writeUInt16LE(HEADER_BYTES, 52);
  header.writeUInt16LE(SECTION_BYTES, 58);
  header.writeUInt16LE(3, 60);
  header.writeUInt16LE(1, 62);
  const sections = [
    Buffer.alloc(SECTION_BYTES),
    section(NAMES.indexOf('.shstrtab'), 3, namesAt, names.length),
    section(NAMES.indexOf('.go.buildinfo'), 1, infoAt, info.length),
  ];
  return Buffer.concat([header, info, names, ...sections]);
}

function section(name: number, type: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(SECTION_BYTES);
  bytes.writeUInt32LE(name, 0);
  bytes.writeUInt32LE(type, 4);
  bytes.writeBigUInt64LE(BigInt(offset), 24);
  bytes.writeBigUInt64LE(BigInt(size), 32);
  return bytes;
}

function buildInfo(module: string, version: string, ldflags: string | undefined): Buffer {
  const head = Buffer.alloc(32);
  head.write('\xff Go buildinf:', 'latin1');
  head[14] = 8;
  head[15] = 2;
  const flags = ldflags === undefined ? '' : `build\t-ldflags=${ldflags}\n`;
  const mark = '\x00'.repeat(16);
  const text = `${mark}path\t${module}/cmd\nmod\t${module}\t${version}\t\n${flags}${mark}`;
  return Buffer.concat([head, prefixed('go1.25.3'), prefixed(text)]);
}

/** Length as unsigned varint, then the bytes. */
function prefixed(text: string): Buffer {
  const length: number[] = [];
  for (let rest = text.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest % 128) + 128);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text, 'latin1')]);
}
