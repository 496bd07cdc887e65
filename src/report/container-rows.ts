import { formatIdMap } from '../core/id-map.ts';
import { NAMESPACE_LETTERS, NAMESPACE_TYPES } from '../core/namespace.ts';
import { printable } from '../core/text.ts';
import { columns } from './columns.ts';
import type { NodeReport, ReportedContainer } from './node-report.ts';
import type { TableOptions } from './node-table.ts';
import type { Paint } from './paint.ts';

/** Head line with the totals, and one row a container. */
export function containerRows(
  { containers, summary, facts }: NodeReport,
  { wide, paint }: TableOptions,
): { readonly total: string; readonly rows: string } {
  const { userNamespaces: users } = summary;
  const counts = [
    `${users.private} in a private user namespace`,
    `${users.host} in the host's`,
    ...(users.unknown > 0 ? [`${users.unknown} unknown`] : []),
  ];
  // To see none through a narrow window is not to know that there are none.
  const blind = facts.sight.procfs !== 'host';
  if (containers.length === 0)
    return {
      total: `CONTAINERS  ${blind ? 'unknown' : '0'}`,
      rows: blind ? '  not visible: see limited sight above' : '  none',
    };
  const total = `CONTAINERS  ${containers.length}: ${counts.join(', ')}`;
  const head = [
    'NAMESPACES',
    'CONTAINER',
    'RUNTIME',
    'NAME',
    'PID',
    'ROOT IS',
    'UID MAP',
    ...(wide ? ['HOSTNAME', 'POD', 'STARTED BY'] : []),
  ];
  const rows = columns([
    head.map((title) => paint('dim', title)),
    ...containers.map((container) => cells(container, wide, paint)),
  ]);
  return { total, rows: `${rows}\n${paint('dim', legend())}` };
}

function cells(container: ReportedContainer, wide: boolean, paint: Paint): readonly string[] {
  const { id, runtime, init, uidMap, rootHostUid, hostname, podUid, shim, sandbox, state } = container;
  return [
    paintVector(container, paint),
    printable(/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id, 40),
    sandbox ? `${runtime} (${sandbox})` : runtime,
    printable(nameOf(container), 40),
    state === 'exited' ? paint('dim', 'exited') : String(init.pid),
    rootText(rootHostUid, paint),
    uidMap.ok ? mapText(formatIdMap(uidMap.value)) : paint('doubt', uidMap.why),
    ...(wide
      ? [
          hostname.ok ? hostname.value : paint('dim', hostname.why),
          podUid ?? '',
          shim.ok ? printable(`${shim.value.pid} ${program(shim.value.command)}`, 60) : paint('dim', shim.why),
        ]
      : []),
  ];
}

/** What a person knows it by: the Docker name, the hostname (of a pod: its name), else the command. */
function nameOf({ docker, podUid, hostname, networkNamespaceName, init }: ReportedContainer): string {
  if (docker?.name) return docker.name;
  const own = hostname.ok ? hostname.value : networkNamespaceName;
  if (podUid === undefined) return own ? `${init.command} (${own})` : init.command;
  return `pod ${own ?? podUid.slice(0, 8)} ${init.command}`;
}

function program(command: string): string {
  return (command.split(' ')[0] ?? '').split('/').at(-1) ?? '';
}

function rootText(root: ReportedContainer['rootHostUid'], paint: Paint): string {
  if (!root.ok) return paint('dim', root.why === 'absent' ? 'unmapped' : 'unknown');
  return root.value === 0 ? paint('bad', 'host root') : paint('good', `uid ${root.value}`);
}

function mapText(map: string): string {
  return map.length > 36 ? `${map.slice(0, 35)}…` : map;
}

function paintVector({ namespaces, vector }: ReportedContainer, paint: Paint): string {
  return NAMESPACE_TYPES.map((type, index) => {
    const letter = vector[index] ?? '?';
    const { relation } = namespaces[type];
    if (relation === 'private') return paint('good', letter);
    if (relation === 'unknown') return paint('doubt', letter);
    // Runtimes leave these two shared as a rule, so they are no matter for alarm.
    return paint(type === 'cgroup' || type === 'time' ? 'dim' : 'bad', letter);
  }).join('');
}

/** The letters are the options of unshare(1). */
function legend(): string {
  const letters = NAMESPACE_TYPES.map((type) => `${NAMESPACE_LETTERS[type]} ${type}`).join('  ');
  return `  ${letters}   letter: its own   -: the host's   ?: unknown`;
}
