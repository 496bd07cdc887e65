// docs/probes.md names every path the audit opens: what is opened is recorded and looked up there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHostFs, type HostFs } from '../../src/host/host-fs.ts';
import { createProcFs, type ProcFs } from '../../src/host/procfs.ts';
import { collectFacts } from '../../src/probes/collect.ts';
import { type HostTreeSpec, makeHostTree } from '../support/host-tree.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/probes.md'), 'utf8');

/** `/boot/config-*`, `/proc/PID/{cgroup,status}` and `<root-dir>/pods/*` of the document as one pattern each. */
const documented = [...text.matchAll(/`((?:\/|<)[^`\s]+)`/g)].map(([, path = '']) => {
  const pattern = path
    .replace(/[.+]/g, '\\$&')
    .replace(/\{([^}]*)\}/g, (_, names: string) => `(?:${names.replaceAll(',', '|')})`)
    .replaceAll('PID', '\\d+')
    .replace(/<[\w-]+>/g, '/.+')
    .replaceAll('*', '[^/]*');
  return new RegExp(`^${pattern}$`);
});

function isDocumented(path: string): boolean {
  return documented.some((pattern) => pattern.test(path));
}

/** Paths of files whose content or links are read; directories are only listed on the way to them. */
function openedPaths(spec: HostTreeSpec): readonly string[] {
  const tree = makeHostTree(spec);
  const opened = new Set<string>();
  const note = (path: string): void => void opened.add(path);
  const files = createHostFs(tree.root);
  const host: HostFs = {
    ...files,
    readBytes: (path, max) => (note(path), files.readBytes(path, max)),
    readText: (path, max) => (note(path), files.readText(path, max)),
    readLink: (path) => (note(path), files.readLink(path)),
    namespaceInode: (path) => (note(path), files.namespaceInode(path)),
  };
  const processes = createProcFs(tree.root);
  const procfs: ProcFs = {
    ...processes,
    readText: (task, file) => (note(`/proc/${task}/${file}`), processes.readText(task, file)),
    readLink: (task, file) => (note(`/proc/${task}/${file}`), processes.readLink(task, file)),
    inode: (task, file) => (note(`/proc/${task}/${file}`), processes.inode(task, file)),
    pinned: (task, file, observe) => (note(`/proc/${task}/${file}`), processes.pinned(task, file, observe)),
    readContainerFile: (task, path, max) => (
      note(`/proc/${task}/root${path}`),
      processes.readContainerFile(task, path, max)
    ),
  };
  try {
    for (const steps = collectFacts(host, procfs); !steps.next().done;);
  } finally {
    tree.remove();
  }
  return [...opened];
}

test.each<readonly [string, HostTreeSpec]>([
  ['an empty host', { processes: 'none' }],
  [
    'a host with every engine',
    {
      processes: {
        300: { cmdline: '/usr/bin/dockerd' },
        310: { cmdline: '/usr/bin/containerd' },
        320: { cmdline: '/usr/bin/crio' },
        330: { cmdline: '/usr/bin/kubelet' },
        400: { cgroup: `/docker/${'a'.repeat(64)}` },
        401: { cgroup: `/docker/${'a'.repeat(64)}` },
      },
      files: {
        '/var/lib/kubelet/pods/0b5bb0b8-5b5f-4c3f-9d4b-0c5c0a6b8f11/userns': '{}',
        [`/var/lib/docker/containers/${'a'.repeat(64)}/hostconfig.json`]: '{}',
        '/etc/crio/crio.conf.d/10-own.conf': '',
        '/run/netns/one': '',
        '/boot/config-6.1.0': '',
      },
      packages: { containerd: '1.6.20' },
    },
  ],
])('%s: every path that is opened is documented', (_, spec) => {
  const opened = openedPaths({ kernel: '6.1.0', ...spec });
  expect(opened.length).toBeGreaterThan(30);
  expect(opened.filter((path) => !isDocumented(path))).toEqual([]);
});
