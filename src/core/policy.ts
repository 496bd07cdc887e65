import { isSeverity, type Severity } from './finding.ts';
import { parseExpiryDate } from './expiry-date.ts';
import type { FieldPath, Place } from './workload.ts';

export const POLICY_API_VERSION = 'userns-audit.dev/v1alpha1';

/** A rule switched on or off, or weighed differently, by the policy. */
export interface RuleSetting {
  readonly id: string;
  readonly enabled?: boolean;
  readonly severity?: Severity;
}

/** Findings accepted by name: who, why, until when. */
export interface PolicyException {
  /** Rule ids, or `*`. */
  readonly rules: readonly string[];
  /** Globs; a manifest without a namespace is matched by `*` alone. */
  readonly namespaces?: readonly string[];
  /** Globs over `Kind/name`. */
  readonly workloads?: readonly string[];
  /** Globs over the path of the file. */
  readonly files?: readonly string[];
  readonly reason: string;
  readonly approver?: string;
  /** `2027-03-31`: the last day it holds. */
  readonly expires?: string;
  /** Labels of namespaces, which only a cluster knows: a scan leaves such an exception alone. */
  readonly namespaceSelector?: LabelSelector;
  /** Where it stands in the policy file. */
  readonly place: Place;
}

/** A selector over labels (metav1.LabelSelector): all of it must hold. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: (typeof SELECTOR_OPERATORS)[number];
  readonly values?: readonly string[];
}

const SELECTOR_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** A ratchet: the fewest private pods in each of some namespaces, as a number, a share in percent, or both. */
export interface AdoptionFloor {
  /** Globs. */
  readonly namespaces: readonly string[];
  readonly minPrivatePods?: number;
  readonly minAdoptionPercent?: number;
}

/** The AuditPolicy document. Floors are the controller's: a scan has no pods to count. */
export interface AuditPolicy {
  readonly profiles: readonly string[];
  readonly rules: readonly RuleSetting[];
  readonly exceptions: readonly PolicyException[];
  readonly floors?: readonly AdoptionFloor[];
}

/** What is wrong with a policy document. */
export interface PolicyError {
  /** `spec.exceptions[0].reason` */
  readonly field: string;
  readonly message: string;
  readonly place: Place;
}

export type ParsedPolicy =
  { readonly ok: true; readonly policy: AuditPolicy } | { readonly ok: false; readonly errors: readonly PolicyError[] };

/** What a policy may name, and where its fields stand. */
export interface PolicySource {
  /** Ids of the whole catalogue, for a policy serves the cluster as well. */
  readonly ruleIds: readonly string[];
  readonly profileIds: readonly string[];
  /** Where a field of the document stands, or its nearest parent. */
  locate(path: FieldPath): Place;
}

/**
 * Reads an AuditPolicy from the plain object a YAML or JSON parser made of it. Every error names its field; unknown fields are
 * errors too, for a policy with a slip of the pen must not pass as a milder one.
 */
export function parsePolicy(document: unknown, source: PolicySource): ParsedPolicy {
  const errors = new Map<string, PolicyError>();
  const complain: Complain = (path, message) => {
    const field = fieldText(path);
    if (!errors.has(field)) errors.set(field, { field, message, place: source.locate(path) });
  };
  const policy = readDocument(document, { source, complain });
  return policy && errors.size === 0 ? { ok: true, policy } : { ok: false, errors: [...errors.values()] };
}

type Complain = (path: FieldPath, message: string) => void;

interface Reading {
  readonly source: PolicySource;
  readonly complain: Complain;
}

type Fields = Readonly<Record<string, unknown>>;

function readDocument(document: unknown, reading: Reading): AuditPolicy | undefined {
  const head = readFields(document, [], reading, ['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  if (!head) return undefined;
  if (head['apiVersion'] !== POLICY_API_VERSION) reading.complain(['apiVersion'], `must be ${POLICY_API_VERSION}`);
  if (head['kind'] !== 'AuditPolicy') reading.complain(['kind'], 'must be AuditPolicy');
  const { metadata, spec = {} } = head;
  if (!isFields(metadata) || metadata['name'] !== 'cluster')
    reading.complain(['metadata', 'name'], 'must be cluster: there is one policy for all');
  const fields = readFields(spec, ['spec'], reading, ['profiles', 'rules', 'exceptions', 'floors']) ?? {};
  const floors = readList(fields['floors'], ['spec', 'floors'], reading).flatMap((item, index) =>
    readFloor(item, ['spec', 'floors', index], reading),
  );
  return {
    profiles: readProfiles(fields['profiles'], reading),
    rules: readRules(fields['rules'], reading),
    exceptions: readList(fields['exceptions'], ['spec', 'exceptions'], reading).flatMap((item, index) =>
      readException(item, ['spec', 'exceptions', index], reading),
    ),
    ...(floors.length > 0 ? { floors } : {}),
  };
}

function readProfiles(value: unknown, reading: Reading): readonly string[] {
  const { profileIds } = reading.source;
  const profiles = readTexts(value, ['spec', 'profiles'], reading) ?? [];
  for (const [index, profile] of profiles.entries())
    if (!profileIds.includes(profile))
      reading.complain(
        ['spec', 'profiles', index],
        `no profile is called ${profile}; there are ${profileIds.join(', ')}`,
      );
  return profiles;
}

function readRules(value: unknown, reading: Reading): readonly RuleSetting[] {
  const seen = new Set<string>();
  return readList(value, ['spec', 'rules'], reading).flatMap((item, index): readonly RuleSetting[] => {
    const path = ['spec', 'rules', index];
    const fields = readFields(item, path, reading, ['id', 'enabled', 'severity']);
    if (!fields) return [];
    const { id, enabled, severity } = fields;
    const rule = readText(id, [...path, 'id'], reading) ?? '';
    checkRule(rule, [...path, 'id'], reading);
    if (seen.has(rule)) reading.complain([...path, 'id'], `${rule} is set twice`);
    seen.add(rule);
    if (enabled !== undefined && typeof enabled !== 'boolean')
      reading.complain([...path, 'enabled'], 'must be true or false');
    if (severity !== undefined && !isSeverity(severity))
      reading.complain([...path, 'severity'], 'must be critical, high, medium, low or info');
    return [
      {
        id: rule,
        ...(typeof enabled === 'boolean' ? { enabled } : {}),
        ...(isSeverity(severity) ? { severity } : {}),
      },
    ];
  });
}

const EXCEPTION_FIELDS = [
  'rules',
  'namespaces',
  'namespaceSelector',
  'workloads',
  'files',
  'reason',
  'approver',
  'expires',
] as const;

function readException(item: unknown, path: FieldPath, reading: Reading): readonly PolicyException[] {
  const fields = readFields(item, path, reading, EXCEPTION_FIELDS);
  if (!fields) return [];
  const at = (field: (typeof EXCEPTION_FIELDS)[number]): FieldPath => [...path, field];
  const rules = readTexts(fields['rules'], at('rules'), reading) ?? [];
  if (rules.length === 0) reading.complain(at('rules'), 'must name at least one rule, or *');
  rules.forEach((rule, index) => {
    if (rule !== '*') checkRule(rule, [...at('rules'), index], reading);
  });
  const scope = Object.fromEntries(
    (['namespaces', 'workloads', 'files'] as const).flatMap((field) => {
      const globs = readTexts(fields[field], at(field), reading);
      return globs === undefined ? [] : [[field, globs]];
    }),
  );
  const namespaceSelector = readSelector(fields['namespaceSelector'], at('namespaceSelector'), reading);
  if (Object.keys(scope).length === 0 && fields['namespaceSelector'] === undefined)
    reading.complain(
      path,
      'must say for what: namespaces, namespaceSelector, workloads or files; namespaces: ["*"] is everything',
    );
  const reason = readText(fields['reason'], at('reason'), reading) ?? '';
  if (!/\p{L}/u.test(reason)) reading.complain(at('reason'), 'must give a reason');
  const approver = fields['approver'] === undefined ? undefined : readText(fields['approver'], at('approver'), reading);
  const expires = parseExpiryDate(fields['expires']);
  if (fields['expires'] !== undefined && expires === undefined)
    reading.complain(at('expires'), 'must be a date: YYYY-MM-DD');
  return [
    {
      rules,
      ...scope,
      reason,
      ...(approver === undefined ? {} : { approver }),
      ...(expires === undefined ? {} : { expires }),
      ...(namespaceSelector ? { namespaceSelector } : {}),
      place: reading.source.locate(path),
    },
  ];
}

function readSelector(value: unknown, path: FieldPath, reading: Reading): LabelSelector | undefined {
  if (value === undefined) return undefined;
  const fields = readFields(value, path, reading, ['matchLabels', 'matchExpressions']);
  if (!fields) return undefined;
  const at = [...path, 'matchLabels'];
  const labels = fields['matchLabels'] === undefined ? undefined : readFields(fields['matchLabels'], at, reading);
  const matchLabels = Object.entries(labels ?? {}).map(([key, label]) => {
    if (typeof label !== 'string') reading.complain([...at, key], 'must be a text');
    return [key, String(label)] as const;
  });
  const expressions = readList(fields['matchExpressions'], [...path, 'matchExpressions'], reading);
  return {
    matchLabels: Object.fromEntries(matchLabels),
    matchExpressions: expressions.flatMap((item, index) =>
      readRequirement(item, [...path, 'matchExpressions', index], reading),
    ),
  };
}

function readRequirement(item: unknown, path: FieldPath, reading: Reading): readonly LabelRequirement[] {
  const fields = readFields(item, path, reading, ['key', 'operator', 'values']);
  if (!fields) return [];
  const key = readText(fields['key'], [...path, 'key'], reading) ?? '';
  const operator = SELECTOR_OPERATORS.find((word) => word === fields['operator']);
  const values = readTexts(fields['values'], [...path, 'values'], reading);
  if (!operator) {
    reading.complain([...path, 'operator'], `must be ${SELECTOR_OPERATORS.join(', ')}`);
    return [];
  }
  // As the API server has it: In and NotIn compare with values, the others have none.
  const compares = operator === 'In' || operator === 'NotIn';
  if (compares !== (values ?? []).length > 0)
    reading.complain(
      [...path, 'values'],
      compares ? 'must name at least one value' : `must be left out with ${operator}`,
    );
  return [{ key, operator, ...(values ? { values } : {}) }];
}

function readFloor(item: unknown, path: FieldPath, reading: Reading): readonly AdoptionFloor[] {
  const fields = readFields(item, path, reading, ['namespaces', 'minPrivatePods', 'minAdoptionPercent']);
  if (!fields) return [];
  const namespaces = readTexts(fields['namespaces'], [...path, 'namespaces'], reading) ?? [];
  if (namespaces.length === 0) reading.complain([...path, 'namespaces'], 'must name at least one namespace, or *');
  const minPrivatePods = readNumber(fields['minPrivatePods'], [...path, 'minPrivatePods'], Infinity, reading);
  const minAdoptionPercent = readNumber(fields['minAdoptionPercent'], [...path, 'minAdoptionPercent'], 100, reading);
  if (fields['minPrivatePods'] === undefined && fields['minAdoptionPercent'] === undefined)
    reading.complain(path, 'must set minPrivatePods or minAdoptionPercent');
  return [
    {
      namespaces,
      ...(minPrivatePods === undefined ? {} : { minPrivatePods }),
      ...(minAdoptionPercent === undefined ? {} : { minAdoptionPercent }),
    },
  ];
}

function readNumber(value: unknown, path: FieldPath, most: number, { complain }: Reading): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  complain(path, `must be a whole number from 0${most === Infinity ? '' : ` to ${most}`}`);
  return undefined;
}

function checkRule(rule: string, path: FieldPath, { source, complain }: Reading): void {
  if (!source.ruleIds.includes(rule)) complain(path, `no rule is called ${rule}; userns-audit rules lists them`);
}

function readFields(
  value: unknown,
  path: FieldPath,
  { complain }: Reading,
  known?: readonly string[],
): Fields | undefined {
  if (!isFields(value)) {
    complain(path, 'must be an object');
    return undefined;
  }
  for (const key of Object.keys(value))
    if (known && !known.includes(key)) complain([...path, key], `is not a field here; there are ${known.join(', ')}`);
  return value;
}

function readList(value: unknown, path: FieldPath, { complain }: Reading): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value !== undefined) complain(path, 'must be a list');
  return [];
}

function readTexts(value: unknown, path: FieldPath, reading: Reading): readonly string[] | undefined {
  if (value === undefined) return undefined;
  return readList(value, path, reading).map((item, index) => readText(item, [...path, index], reading) ?? '');
}

function readText(value: unknown, path: FieldPath, { complain }: Reading): string | undefined {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  complain(path, value === undefined ? 'is missing' : 'must be a text that is not empty');
  return undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function fieldText(path: FieldPath): string {
  const text = path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${segment}`)).join('');
  return text === '' ? 'document' : text.replace(/^\./, '');
}
