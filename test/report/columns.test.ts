import { columns } from '../../src/report/columns.ts';

describe('columns', () => {
  test('are as wide as their widest cell, two blanks apart and indented by two', () => {
    expect(
      columns([
        ['NAME', 'PID'],
        ['a-longer-name', '1'],
      ]),
    ).toBe('  NAME           PID\n  a-longer-name  1');
  });

  test('end without blanks, also where the last cells are empty', () => {
    expect(
      columns([
        ['a', 'wide cell', ''],
        ['b', '', ''],
      ]),
    ).toBe('  a  wide cell\n  b');
  });

  test('are not moved by colors', () => {
    const text = columns([
      ['\x1b[31mred\x1b[39m', 'x'],
      ['black', 'y'],
    ]);
    expect(text.replace(/\x1b\[\d+m/g, '')).toBe('  red    x\n  black  y');
  });

  test('of no rows are nothing', () => {
    expect(columns([])).toBe('');
  });
});
