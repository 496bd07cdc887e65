import { mountedPaths } from '../../src/host/mounted-paths.ts';

/** Lines as proc_pid_mountinfo(5) has them. */
function mountInfo(...points: readonly string[]): string {
  return points.map((point, index) => `${30 + index} 1 0:${index} / ${point} ro,relatime - proc proc rw\n`).join('');
}

describe('the parts of a host that are mounted', () => {
  test('are the mount points below its root', () => {
    expect(mountedPaths('/host', mountInfo('/', '/proc', '/host/proc', '/host/var/lib/kubelet', '/hostile'))).toEqual([
      '/host/proc',
      '/host/var/lib/kubelet',
    ]);
  });

  test('with blanks in their names', () => {
    expect(mountedPaths('/host', mountInfo('/', '/host/my\\040disk'))).toEqual(['/host/my disk']);
  });

  test.each([
    ['the own root', '/', mountInfo('/', '/proc')],
    ['a root that is mounted as a whole', '/host/', mountInfo('/', '/host', '/host/proc')],
    ['an ordinary directory', '/image', mountInfo('/', '/proc')],
  ])('the question does not arise for %s', (_, root, text) => {
    expect(mountedPaths(root, text)).toBeUndefined();
  });
});
