/** A file or, with a slash at the end of its path, a directory; owned by root, from 1970. */
export interface TarEntry {
  /** Without a slash at the beginning. */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
  /** Content of the extended attribute `security.capability` (capabilities(7)). */
  readonly capability?: Buffer;
}

const BLOCK = 512;

/** A tar archive in the pax format (POSIX.1-2001), with extended attributes as GNU tar and container engines write them. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const records = paxRecords(entry);
    const extension = records.length === 0 ? [] : file('x', { path: 'pax', mode: 0o644, content: records });
    return [...extension, ...file(entry.path.endsWith('/') ? '5' : '0', entry)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function file(type: '0' | '5' | 'x', entry: TarEntry): readonly Buffer[] {
  const { length } = entry.content;
  return [header(type, entry), entry.content, Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK)];
}

function header(type: string, { path, mode, content }: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(path.slice(0, 100), 0, 'utf8');
  const octal = (value: number, at: number, size: number): void => {
    block.write(value.toString(8).padStart(size - 1, '0'), at, 'latin1');
  };
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function paxRecords({ path, capability }: TarEntry): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: Buffer): void => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
    let length = rest.length;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    records.push(Buffer.from(String(length)), rest);
  };
  if (Buffer.byteLength(path) > 100) add('path', Buffer.from(path));
  if (capability) add('SCHILY.xattr.security.capability', capability);
  return Buffer.concat(records);
}
