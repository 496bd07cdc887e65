import fc from 'fast-check';
import { booleanParameter } from '../../src/core/boot-parameters.ts';
import { describeUnread, type Reading } from '../../src/core/reading.ts';
import { parseBootParameters } from '../../src/probes/boot-parameters.ts';
import { parseOsRelease } from '../../src/probes/os-release.ts';
import { parseSubordinateIds } from '../../src/probes/subordinate-ids.ts';
import { parseInteger, parseModuleBoolean } from '../../src/probes/sysctls.ts';

const show = (reading: Reading<unknown>): unknown => (reading.ok ? reading.value : describeUnread(reading));

describe('boot parameters', () => {
  const told = (text: string): string =>
    parseBootParameters(text)
      .map(({ name, value }) => (value === undefined ? name : `${name}=[${value}]`))
      .join(' ');

  test.each([
    ['BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n', 'BOOT_IMAGE=[/vmlinuz] root=[/dev/sda1] ro quiet'],
    ['  a  b\tc\n', 'a b c'],
    ['a= b', 'a=[] b'],
    ['root=UUID=1-2', 'root=[UUID=1-2]'],
    ['dyndbg="file a.c +p; file b.c"', 'dyndbg=[file a.c +p; file b.c]'],
    ['"name=a b" c', 'name=[a b] c'],
    ['"a b" c', 'a b c'],
    ['a=x" y" b', 'a=[x" y"] b'],
    ['a="b c', 'a=[b c]'],
    ['=x a', '=x a'],
    ['a -- b c=d', 'a'],
    ['a --b c', 'a --b c'],
    ['a --=x b', 'a --=[x] b'],
    ['', ''],
  ])('%j', (text, expected) => {
    expect(told(text)).toBe(expected);
  });

  test.each([
    ['user_namespace.enable=1', true],
    ['user_namespace.enable=Y', true],
    ['user_namespace.enable', true],
    ['user_namespace.enable=on', true],
    ['user-namespace.enable=1', true],
    ['user_namespace.enable="1"', true],
    ['user_namespace.enable=0', false],
    ['user_namespace.enable=n', false],
    ['user_namespace.enable=1 user_namespace.enable=0', false],
    ['user_namespace.enable=0 user-namespace.enable=1', true],
    ['user_namespace.enable=1 user_namespace.enable=what', true],
    ['user_namespace.enable=', undefined],
    ['-- user_namespace.enable=1', undefined],
    ['user_namespace_enable=1', undefined],
    ['xuser_namespace.enable=1', undefined],
    ['', undefined],
  ])('%j is %s', (text, expected) => {
    expect(booleanParameter(parseBootParameters(text), 'user_namespace.enable')).toBe(expected);
  });
});

describe('/etc/subuid', () => {
  const told = (text: string): readonly string[] => {
    const { ranges, refused } = parseSubordinateIds(text);
    const taken = ranges.map(({ owner, start, count, line }) => `${line} ${owner} ${start} ${count}`);
    return [...taken, ...refused.map(({ line, reason }) => `${line} refused: ${reason}`)];
  };

  test.each([
    ['a user', 'kubelet:65536:7208960\n', ['1 kubelet 65536 7208960']],
    ['a uid, a comment, a blank line', '# x\n\n1000:100000:65536\n', ['3 1000 100000 65536']],
    ['CR LF and a byte order mark', '\uFEFFa:1:2\r\nb:3:4\r\n', ['1 a 1 2', '2 b 3 4']],
    ['the whole space', 'a:0:4294967296\n', ['1 a 0 4294967296']],
    ['the same owner twice', 'a:1:1\na:5:1', ['1 a 1 1', '2 a 5 1']],
    ['past 2^32', 'a:4294967295:2\n', ['1 refused: the range ends at 4294967297, past 2^32']],
    ['no count', 'a:100000\n', ['1 refused: 2 fields where owner:start:count is expected']],
    ['an empty range', 'a:100000:0\n', ['1 refused: the range is empty']],
    ['no owner', ':100000:65536\n', ['1 refused: no owner']],
    ['a sign', 'a:-1:65536\n', ['1 refused: start "-1" is not a decimal number']],
    ['hex', 'a:0x10000:65536\n', ['1 refused: start "0x10000" is not a decimal number']],
    ['a count that is no number', 'a:1:many\n', ['1 refused: count "many" is not a decimal number']],
    [
      'digits without end',
      `a:${'9'.repeat(400)}:1\n`,
      [`1 refused: start "${'9'.repeat(40)}" is not a decimal number`],
    ],
  ])('%s', (_, text, expected) => {
    expect(told(text)).toEqual(expected);
  });
});

describe('numbers and switches of /proc/sys and /sys', () => {
  test.each([
    ['96365\n', 96365],
    ['0\n', 0],
    ['-1', -1],
    ['2147483647\n', 2147483647],
    ['', 'f: malformed ("" is not a number)'],
    ['1 2\n', 'f: malformed ("1 2" is not a number)'],
    ['1e3', 'f: malformed ("1e3" is not a number)'],
  ])('%j', (text, expected) => {
    expect(show(parseInteger(text, 'f'))).toBe(expected);
  });

  test.each([
    ['Y\n', true],
    ['N\n', false],
    ['1', true],
    ['0', false],
    ['', 'f: malformed ("" is neither Y nor N)'],
  ])('%j is %s', (text, expected) => {
    expect(show(parseModuleBoolean(text, 'f'))).toBe(expected);
  });
});

describe('os-release', () => {
  test.each([
    [
      'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
      { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
    ],
    ["NAME='Alpine Linux'\nID=alpine\n", { id: 'alpine', prettyName: 'Alpine Linux' }],
    ['ID=a\nID=b\r\n', { id: 'b', prettyName: 'Linux' }],
    ['PRETTY_NAME="a \\"b\\" \\$c"\n', { id: 'linux', prettyName: 'a "b" $c' }],
    ['# comment\n\nID=x\nnonsense\n', { id: 'x', prettyName: 'Linux' }],
    ['nonsense\n', 'f: malformed (no NAME=value line)'],
    ['', 'f: malformed (no NAME=value line)'],
  ])('%j', (text, expected) => {
    expect(show(parseOsRelease(text, 'f'))).toEqual(expected);
  });
});

test('no text makes any of them throw or wait', () => {
  const parsers = [
    parseBootParameters,
    parseSubordinateIds,
    (text: string) => parseInteger(text, 'f'),
    (text: string) => parseModuleBoolean(text, 'f'),
    (text: string) => parseOsRelease(text, 'f'),
  ];
  for (const parse of parsers) {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parse(text)));
    for (const text of [
      ' '.repeat(4 << 20),
      '\n'.repeat(4 << 20),
      '"'.repeat(4 << 20),
      'a'.repeat(4 << 20),
      '="'.repeat(2 << 20),
      `A="${'\\"'.repeat(2 << 20)}`,
      ':'.repeat(4 << 20),
    ])
      expect(() => parse(text)).not.toThrow();
  }
});
