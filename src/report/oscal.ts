import { createHash } from 'node:crypto';
import type { ControlState, ControlStatus, ProfileStatus, ResultSubject } from '../core/control-status.ts';
import { compareText } from '../core/text.ts';

/** The edition of OSCAL that is written (https://pages.nist.gov/OSCAL/reference/1.1.3/assessment-results/json-outline/). */
const OSCAL_VERSION = '1.1.3';

/** Names of properties that are ours. */
const NAMESPACE = 'https://userns-audit.dev/ns/oscal';

export interface OscalOptions {
  /** What was assessed: the name of the cluster or of the machine. */
  readonly system: string;
  /** When the evidence was collected, as RFC 3339 with a time zone. */
  readonly collected: string;
  /** Version of userns-audit. */
  readonly version: string;
}

/** OSCAL knows two states; what is neither says so by its reason. What is not applicable has no finding. */
const TARGET_STATES: Readonly<
  Record<Exclude<ControlState, 'not-applicable'>, { readonly state: string; readonly reason: string }>
> = {
  pass: { state: 'satisfied', reason: 'pass' },
  fail: { state: 'not-satisfied', reason: 'fail' },
  inconsistent: { state: 'not-satisfied', reason: 'fail' },
  unknown: { state: 'not-satisfied', reason: 'other' },
  manual: { state: 'not-satisfied', reason: 'other' },
};

/**
 * Assessment results of NIST OSCAL: a result for each profile, in it an observation and a finding for each control. The same
 * input makes the same document, identifiers included: they are UUIDs of version 5 over what they stand for (RFC 9562, 5.5).
 */
export function renderOscal(profiles: readonly ProfileStatus[], options: OscalOptions): string {
  const { system, collected, version } = options;
  if (profiles.length === 0) throw new Error('OSCAL assessment results need a profile at least.');
  const planId = uuid(['assessment-plan', system]);
  const document = {
    'assessment-results': {
      uuid: uuid(['assessment-results', system, collected]),
      metadata: {
        title: `Namespace isolation of ${oneLine(system)}`,
        'last-modified': collected,
        version,
        'oscal-version': OSCAL_VERSION,
      },
      'import-ap': { href: `#${planId}` },
      results: profiles.map((status) => createResult(status, options)),
      'back-matter': {
        resources: [
          {
            uuid: planId,
            title: 'Assessment plan',
            description: 'The rules and profiles of userns-audit, run over the whole system.',
          },
        ],
      },
    },
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function createResult({ profile, controls }: ProfileStatus, options: OscalOptions): object {
  const key = [options.system, options.collected, profile.id];
  const items = subjectsOf(controls).map((subject) => ({
    uuid: subjectId(subject, key),
    description: subjectText(subject),
    props: [property('kind', subject.kind), ...(subject.group === undefined ? [] : [property('group', subject.group)])],
  }));
  const findings = controls.flatMap((status) => createFinding(status, key));
  return {
    uuid: uuid(['result', ...key]),
    title: profile.title,
    description: `${profile.benchmark}. Not covered: ${profile.notCovered}`,
    start: options.collected,
    end: options.collected,
    props: [property('profile', profile.id)],
    ...(items.length > 0 ? { 'local-definitions': { 'inventory-items': items } } : {}),
    'reviewed-controls': {
      'control-selections': [
        { 'include-controls': controls.map((status) => ({ 'control-id': token(profile.id, status) })) },
      ],
    },
    observations: controls.map((status) => createObservation(status, key, options.collected)),
    ...(findings.length > 0 ? { findings } : {}),
  };
}

function createObservation(status: ControlStatus, key: readonly string[], collected: string): object {
  const { control, state, counts, failing } = status;
  const subjects = uniqueSubjects(failing.map(({ subject }) => subject));
  return {
    uuid: uuid(['observation', ...key, control.id]),
    title: `${control.id} ${control.title}`,
    description: observationText(status),
    props: [
      property('state', state),
      property('assessment', control.assessment),
      property('verified', String(control.verified)),
      ...Object.entries(counts).map(([name, number]) => property(name, String(number))),
      ...control.rules.map((rule) => property('rule', rule)),
    ],
    methods: control.rules.length > 0 ? ['TEST'] : ['EXAMINE'],
    types: ['finding'],
    ...(subjects.length > 0
      ? {
          subjects: subjects.map((subject) => ({
            'subject-uuid': subjectId(subject, key),
            type: 'inventory-item',
            title: oneLine(subjectText(subject)),
          })),
        }
      : {}),
    collected,
  };
}

function createFinding(status: ControlStatus, key: readonly string[]): readonly object[] {
  const { control, state } = status;
  if (state === 'not-applicable') return [];
  return [
    {
      uuid: uuid(['finding', ...key, control.id]),
      title: `${control.id} ${control.title}`,
      description: observationText(status),
      props: [property('state', state)],
      target: {
        type: 'objective-id',
        'target-id': token(key.at(-1) ?? '', status),
        status: { ...TARGET_STATES[state], remarks: state },
      },
      'related-observations': [{ 'observation-uuid': uuid(['observation', ...key, control.id]) }],
    },
  ];
}

/** What was seen, what was not asked, and what the rules do not cover, in sentences. */
function observationText({ control, state, counts, inconsistencies, notEvaluated }: ControlStatus): string {
  const { pass, fail, unknown, accepted, 'not-applicable': none } = counts;
  return [
    `State: ${state}. ${pass} pass, ${fail} fail, ${unknown} unknown, ${none} not applicable, ${accepted} accepted.`,
    ...inconsistencies.map(
      ({ rule, kind, group, majority, deviating }) =>
        `${rule}: most of ${kind} group ${group} ${majority}, but not ${deviating.join(', ')}.`,
    ),
    ...(notEvaluated.length > 0 ? [`Not asked: ${notEvaluated.join(', ')}.`] : []),
    ...(control.notCovered === undefined ? [] : [`Not covered: ${control.notCovered}`]),
    ...(control.note === undefined ? [] : [control.note]),
  ].join(' ');
}

function subjectsOf(controls: readonly ControlStatus[]): readonly ResultSubject[] {
  return uniqueSubjects(controls.flatMap(({ failing }) => failing.map(({ subject }) => subject)));
}

function uniqueSubjects(subjects: readonly ResultSubject[]): readonly ResultSubject[] {
  const byText = new Map(subjects.map((subject) => [subjectText(subject), subject]));
  return [...byText.values()].toSorted((a, b) => compareText(subjectText(a), subjectText(b)));
}

function subjectText({ kind, name }: ResultSubject): string {
  return `${kind} ${name}`;
}

/** Each result defines its own subjects, so that no identifier stands twice in a document. */
function subjectId({ kind, name }: ResultSubject, key: readonly string[]): string {
  return uuid(['subject', ...key, kind, name]);
}

/** A control's id as OSCAL writes ids, which never begin with a digit. */
function token(profile: string, { control }: ControlStatus): string {
  return `${profile}_${control.id}`.replace(/[^\w.-]/g, '-');
}

function property(name: string, value: string): { readonly name: string; readonly ns: string; readonly value: string } {
  return { name, ns: NAMESPACE, value: oneLine(value) };
}

/** OSCAL's strings are not empty, have no line breaks, and no blanks at their ends. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim() || '-';
}

/** The name space of the identifiers: the UUID of version 5 of our name as a URL. */
const ROOT = uuidOf(Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex'), NAMESPACE);

function uuid(parts: readonly string[]): string {
  return uuidOf(Buffer.from(ROOT.replaceAll('-', ''), 'hex'), JSON.stringify(parts));
}

function uuidOf(namespace: Buffer, name: string): string {
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
