import { PROFILES } from '../../rules/profiles/index.ts';
import type { AuditPolicyStatus } from '../../resources/audit-policy.ts';
import type { ClusterOverview, OverviewException } from '../cluster-overview.ts';
import { type ControlInconsistency, differingTexts } from '../inconsistencies.ts';
import { type Html, markup, NOTHING } from './html.ts';
import { cell, meter, section, table, tag, type Tone } from './parts.ts';

const EXCEPTION_TONES: Readonly<Record<OverviewException['state'], Tone | 'mute'>> = {
  expired: 'bad',
  expiring: 'doubt',
  unused: 'doubt',
  matched: 'mute',
};

export function renderExceptions({ exceptions }: ClusterOverview): Html {
  if (exceptions.length === 0) return NOTHING;
  return section({
    id: 'exceptions',
    title: 'Exceptions',
    note: 'What the policy accepts, by whom and until when. One that has expired accepts nothing any more; an unused one can go.',
    body: table({
      id: 'exception-table',
      caption: 'Exceptions of the policy',
      columns: [
        { title: 'State', sort: 'up' },
        { title: 'Reason', sort: 'up' },
        { title: 'Rules' },
        { title: 'For' },
        { title: 'Approver', sort: 'up' },
        { title: 'Last day', sort: 'up' },
        { title: 'Findings', sort: 'down', numeric: true },
      ],
      rows: exceptions.map(
        ({ state, reason, rules, scope, approver, expires, matched }) =>
          markup`<tr><td>${tag(state, EXCEPTION_TONES[state])}</td><th scope="row">${reason}</th><td>${rules.join(', ')}</td><td>${scope}</td><td>${approver ?? markup`<span class="dim">not named</span>`}</td><td class="day" data-v="${expires ?? '9999'}">${expires ?? markup`<span class="dim">none</span>`}</td>${cell(matched)}</tr>`,
      ),
    }),
  });
}

/** So many nodes of a group are named; the JSON report has all. */
const MAX_NAMES = 20;

type ProfileStatus = NonNullable<AuditPolicyStatus['profiles']>[number];
type ControlStatus = ProfileStatus['controls'][number];

const CONTROL_TONES: Readonly<Record<ControlStatus['status'], Tone | 'mute'>> = {
  pass: 'good',
  fail: 'bad',
  inconsistent: 'bad',
  unknown: 'doubt',
  'not-applicable': 'mute',
  manual: 'mute',
};

/** Compliance, profile by profile, each control with what no rule looks at. */
export function renderProfiles(
  profiles: readonly ProfileStatus[],
  inconsistencies: readonly ControlInconsistency[],
): Html {
  if (profiles.length === 0) return NOTHING;
  return section({
    id: 'profiles',
    title: 'Compliance',
    note: 'Share of controls that pass, of those that pass, fail or are inconsistent: nodes that should be alike differ. Unknown, manual and not applicable controls are in neither. What a profile does not cover is said with it.',
    body: markup`${profiles.map((profile) => renderProfile(profile, inconsistencies))}`,
  });
}

function renderProfile(
  { id, compliancePercent, controls }: ProfileStatus,
  inconsistencies: readonly ControlInconsistency[],
): Html {
  const known = PROFILES.find((profile) => profile.id === id);
  const count = (state: ControlStatus['status']): number => controls.filter(({ status }) => status === state).length;
  const parts: readonly (readonly [number, string])[] = [
    [count('pass'), 'pass'],
    [count('fail'), 'fail'],
    [count('inconsistent'), 'inconsistent'],
    [count('unknown'), 'unknown'],
    [count('manual'), 'manual'],
    [count('not-applicable'), 'not applicable'],
  ];
  return markup`<details class="block" id="profile-${id}"><summary><b>${known?.title ?? id}</b><span>${compliancePercent === undefined ? markup`<span class="dim">no control passes or fails</span>` : markup`${meter(compliancePercent)}${compliancePercent} %`}</span><span class="dim">${parts
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}`)
    .join(
      ', ',
    )}</span></summary>${known === undefined ? NOTHING : markup`<p class="note">${known.benchmark}. Not covered: ${known.notCovered}</p>`}${table(
    {
      id: `profile-table-${id}`,
      caption: `Controls of ${known?.title ?? id}`,
      columns: [
        { title: 'Control' },
        { title: 'Status' },
        { title: 'Asks for' },
        { title: 'Fail', numeric: true },
        { title: 'Left to a person' },
      ],
      rows: controls.map((control) => {
        const told = known?.controls.find((one) => one.id === control.id);
        const remarks = [
          ...(told?.verified === false ? ['The id is not verified.'] : []),
          ...(told?.notCovered === undefined ? [] : [told.notCovered]),
        ];
        const differing = differingTexts(inconsistencies, id, control, MAX_NAMES).map(
          (why) => markup`<div class="dim">${why}.</div>`,
        );
        return markup`<tr><th scope="row">${control.id}</th><td>${tag(control.status, CONTROL_TONES[control.status])}</td><td>${told?.title ?? ''}${differing}</td>${cell(control.findings)}<td class="dim">${remarks.join(' ')}</td></tr>`;
      }),
    },
  )}</details>
`;
}
