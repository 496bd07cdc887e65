import type { ScanProblem } from '../core/scan-finding.ts';
import type { ComposeFile } from './compose-extends.ts';
import { spanOf } from './place.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Entry } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import { scalarText } from './yaml/scalar-text.ts';
import { resolvePlain } from './yaml/scalar-value.ts';

const TEXTS = ['pid', 'ipc', 'uts', 'network_mode', 'userns_mode', 'privileged', 'user'];
const LISTS = ['cap_add', 'cap_drop', 'security_opt'];

const NAMES: Readonly<Record<YamlNode['type'], string>> = {
  [NODE.SCALAR]: 'a text',
  [NODE.SEQUENCE]: 'a list',
  [NODE.MAPPING]: 'a mapping',
  [NODE.ALIAS]: 'an alias',
};

/** The services themselves, where they are none. */
export function* misshapenServices(file: ComposeFile, entry: Entry): Iterable<ScanProblem> {
  const { type } = resolveAlias(entry.value);
  if (type !== NODE.MAPPING && !isUnset(file, entry.value)) yield misshapen(file, entry, 'services', 'a mapping');
}

/** Fields of a service that are of a type Compose refuses, and so say nothing. */
export function* misshapenFields(file: ComposeFile, name: string): Iterable<ScanProblem> {
  const { parsed, services } = file;
  const service = entriesOf(parsed, services).get(name);
  if (service === undefined) return;
  const target = resolveAlias(service.value);
  if (target.type !== NODE.MAPPING && !isUnset(file, target)) yield misshapen(file, service, `services.${name}`, 'a mapping');
  for (const [fields, type, expected] of [
    [TEXTS, NODE.SCALAR, 'a text'],
    [LISTS, NODE.SEQUENCE, 'a list'],
  ] as const) {
    for (const field of fields) {
      const entry = entriesOf(parsed, service.value).get(field);
      const node = entry && resolveAlias(entry.value);
      if (entry === undefined || node === undefined || node.type === type || isUnset(file, node)) continue;
      yield misshapen(file, entry, `services.${name}.${field}`, expected);
    }
  }
}

function isUnset({ parsed }: ComposeFile, node: YamlNode): boolean {
  return node.type === NODE.SCALAR && resolvePlain(scalarText(parsed.text, node)) === null;
}

function misshapen({ parsed, source }: ComposeFile, entry: Entry, field: string, expected: string): ScanProblem {
  const message = `${field} must be ${expected}, not ${NAMES[resolveAlias(entry.value).type]}: Docker Compose refuses it`;
  const span = spanOf(parsed.text, { ...entry, parent: undefined }, false);
  return { kind: 'wrong-type', message, place: source.placeOf(parsed.chunk, span), fatal: true };
}
