import fc from 'fast-check';
import { formatIdMap, isIdentityMap, toHostId } from '../../src/core/id-map.ts';
import { printable } from '../../src/core/text.ts';
import { parseIdMap } from '../../src/probes/id-maps.ts';
import { parseProcessStat, parseProcessStatus } from '../../src/probes/process-status.ts';

describe('uid_map and gid_map', () => {
  const told = (text: string): string => {
    const map = parseIdMap(text, 'uid_map');
    return map.ok ? formatIdMap(map.value) : map.why;
  };
  const line = (...numbers: readonly number[]): string => `${numbers.map((n) => String(n).padStart(10)).join(' ')}\n`;

  test.each([
    ['the initial namespace', line(0, 0, 4294967295), '0 0 4294967295'],
    ['a pod', line(0, 131072, 65536), '0 131072 65536'],
    [
      'three ranges',
      line(0, 1000, 1) + line(1, 100000, 65535) + line(70000, 300000, 5),
      '0 1000 1, 1 100000 65535, 70000 300000 5',
    ],
    ['the last id', line(4294967294, 4294967294, 1), '4294967294 4294967294 1'],
    ['ids the reader can not express', line(0, 4294967295, 65536), '0 4294967295 65536'],
    ['a namespace nobody has mapped', '', '(empty)'],
    [
      '340 lines',
      Array.from({ length: 340 }, (_, i) => line(i, 100000 + i, 1)).join(''),
      Array.from({ length: 340 }, (_, i) => `${i} ${100000 + i} 1`).join(', '),
    ],
    ['no newline at the end', '0 100000 65536', '0 100000 65536'],
    ['341 lines', line(0, 0, 1).repeat(341), 'malformed'],
    ['a range that passes 2^32', line(0, 4294967290, 10), 'malformed'],
    ['an inner range that passes 2^32', line(4294967290, 0, 10), 'malformed'],
    ['an empty range', line(0, 100000, 0), 'malformed'],
    ['two numbers', '0 100000\n', 'malformed'],
    ['four numbers', '0 100000 1 1\n', 'malformed'],
    ['a sign', '0 -1 1\n', 'malformed'],
    ['words', 'root 0 1\n', 'malformed'],
    ['hex', '0x0 0 1\n', 'malformed'],
  ])('%s', (_, text, expected) => {
    expect(told(text)).toBe(expected);
  });

  test('every map the kernel can print is read back', () => {
    const range = fc.record({
      inside: fc.nat(2 ** 31),
      outside: fc.nat(2 ** 31),
      length: fc.integer({ min: 1, max: 2 ** 31 }),
    });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 340 }), (ranges) => {
        const text = ranges.map(({ inside, outside, length }) => line(inside, outside, length)).join('');
        expect(parseIdMap(text, 'uid_map')).toEqual({ ok: true, source: 'uid_map', value: ranges });
      }),
    );
  });

  test('an id that is not mapped, or that the reader can not express, has no host id', () => {
    expect(toHostId([{ inside: 0, outside: 100000, length: 10 }], 9)).toBe(100009);
    expect(toHostId([{ inside: 0, outside: 100000, length: 10 }], 10)).toBeUndefined();
    expect(toHostId([{ inside: 0, outside: 4294967295, length: 10 }], 0)).toBeUndefined();
    expect(toHostId([], 0)).toBeUndefined();
    expect(isIdentityMap([{ inside: 0, outside: 0, length: 4294967295 }])).toBe(true);
    expect(isIdentityMap([{ inside: 0, outside: 0, length: 4294967294 }])).toBe(false);
    expect(isIdentityMap([])).toBe(false);
  });
});

describe('status', () => {
  const status = 'Name:\tsleep\nState:\tS (sleeping)\nPid:\t7\nPPid:\t1\nUid:\t1000\t0\t0\t0\nNSpid:\t7\t1\n';
  test('the fields of a process', () => {
    expect(parseProcessStatus(status)).toEqual({ command: 'sleep', state: 'S', parent: 1, uid: 1000, nspid: [7, 1] });
  });

  test.each([
    ['a kernel without NSpid', status.replace(/NSpid.*\n/, ''), { nspid: undefined, parent: 1 }],
    ['three PID namespaces', status.replace('7\t1\n', '7\t3\t1\n'), { nspid: [7, 3, 1] }],
    ['a zombie', status.replace('S (sleeping)', 'Z (zombie)'), { state: 'Z' }],
    ['a name that is a line of the file, escaped', status.replace('sleep\n', 'a\\nUid:\\t0\n'), { uid: 1000 }],
    ['a name with blanks and brackets', status.replace('sleep\n', 'a) (b c\n'), { command: 'a) (b c' }],
    ['an empty name', status.replace('sleep\n', '\n'), { command: '' }],
    ['a name in Latin-1', status.replace('sleep\n', 'caf\xe9\n'), { command: 'caf\xe9' }],
    ['the largest uid', status.replace('1000', '4294967294'), { uid: 4294967294 }],
  ])('%s', (_, text, expected) => {
    expect(parseProcessStatus(text)).toMatchObject(expected);
  });

  test.each([
    ['', 'no lines'],
    ['Name:\tx\n', 'no ids'],
    [status.replace('PPid', 'Ppid'), 'no parent'],
  ])('refused: %#', (text) => {
    expect(parseProcessStatus(text)).toBeUndefined();
  });
});

describe('stat', () => {
  const fields = (state: string, flags: number): string =>
    `${state} 1 7 7 0 -1 ${flags} 91 0 0 0 0 0 0 0 20 0 1 0 4242 ${'0 '.repeat(29)}0\n`;

  test.each([
    ['an ordinary process', `7 (sleep) ${fields('S', 4194560)}`, { kernelThread: false, startTime: 4242 }],
    ['a kernel thread', `2 (kthreadd) ${fields('S', 2129984)}`, { kernelThread: true, startTime: 4242 }],
    ['a name with brackets and blanks', `7 (a) S 1 (b) ${fields('R', 0)}`, { kernelThread: false, startTime: 4242 }],
    ['a name with a newline', `7 (a\n) ${fields('R', 0)}`, { startTime: 4242 }],
  ])('%s', (_, text, expected) => {
    expect(parseProcessStat(text)).toMatchObject(expected);
  });

  test.each([[''], ['7 (sleep'], ['7 (sleep) S 1'], ['7 (sleep) S x y z']])('%j is refused', (text) => {
    expect(parseProcessStat(text)).toBeUndefined();
  });
});

describe('text for a terminal', () => {
  test.each([
    ['an escape sequence', '\x1b[2Jx', ' [2Jx'],
    ['newlines and NUL', 'a\nb\0c', 'a b c'],
    ['a change of direction', 'a\u202eb', 'a b'],
    ['C1 controls', 'a\x9bb', 'a b'],
    ['other scripts', 'größe 名', 'größe 名'],
  ])('%s', (_, text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

test('no text makes any of them throw or wait', () => {
  const parsers = [(text: string) => parseIdMap(text, 'x'), parseProcessStat, parseProcessStatus, printable];
  for (const parse of parsers) {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parse(text)));
    for (const text of [
      ' '.repeat(4 << 20),
      '\n'.repeat(4 << 20),
      '1 '.repeat(2 << 20),
      '('.repeat(4 << 20),
      'Name:\t'.repeat(500_000),
      'Uid:\t1\t\n'.repeat(400_000),
      `NSpid:\t${'1\t'.repeat(2 << 20)}x`,
    ])
      expect(() => parse(text)).not.toThrow();
  }
});
