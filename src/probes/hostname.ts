import { andThen, type Reading, read, unread } from '../core/reading.ts';
import type { ProcFs, Task } from '../host/procfs.ts';

/**
 * The container's hostname as its runtime wrote it into /etc/hostname. The file belongs to the container, which may put
 * anything there, so it is taken only when it looks like a hostname (hostname(7)).
 */
export function readHostname(procfs: ProcFs, task: Task): Reading<string> {
  return andThen(procfs.readContainerFile(task, '/etc/hostname', 256), (text, source) => {
    const name = text.trim();
    return /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(name)
      ? read(source, name)
      : unread(source, 'malformed', 'not a hostname');
  });
}
