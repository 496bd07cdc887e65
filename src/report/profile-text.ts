import type { Profile, ProfileControl } from '../core/profile.ts';
import { columns } from './columns.ts';
import type { Paint } from './paint.ts';

/** The profiles as a table. */
export function renderProfiles(profiles: readonly Profile[], paint: Paint): string {
  const head = ['PROFILE', 'CONTROLS', 'AUTOMATED', 'BENCHMARK'].map((title) => paint('dim', title));
  const rows = profiles.map(({ id, controls, benchmark }) => [
    id,
    String(controls.length),
    String(controls.filter(({ assessment }) => assessment === 'automated').length),
    benchmark,
  ]);
  return columns([head, ...rows]).replace(/^ {2}/gm, '');
}

/** One profile in full: its controls, what answers them, and what nobody answers. */
export function renderProfile({ id, title, benchmark, source, notCovered, controls }: Profile, paint: Paint): string {
  return [
    `${paint('heading', id)}  ${title}`,
    '',
    ...controls.flatMap((control) => [...controlLines(control, paint), '']),
    paint('dim', 'Not covered'),
    notCovered,
    '',
    paint('dim', 'Benchmark'),
    `${benchmark}; ${source}`,
  ].join('\n');
}

function controlLines(control: ProfileControl, paint: Paint): readonly string[] {
  const { id, title, assessment, rules, verified, notCovered, note } = control;
  const doubt = verified ? '' : `, ${paint('doubt', 'not verified')}`;
  return [
    `${paint('strong', id)}  ${title}`,
    `  ${assessment}${doubt}${rules.length > 0 ? `: ${rules.join(', ')}` : ''}`,
    ...otherIdLines(control),
    ...(notCovered === undefined ? [] : [`  ${paint('dim', 'not covered:')} ${notCovered}`]),
    ...(note === undefined ? [] : [`  ${paint('dim', 'note:')} ${note}`]),
  ];
}

function otherIdLines({ otherIds = {} }: ProfileControl): readonly string[] {
  const texts = otherIdsText(otherIds);
  return texts === '' ? [] : [`  also: ${texts}`];
}

/** `5.2.2 (1.6, 1.20), 4.2.2 (EKS, AKS)` */
export function otherIdsText(otherIds: NonNullable<ProfileControl['otherIds']>): string {
  const editions = Map.groupBy(Object.entries(otherIds), ([, id]) => id);
  return [...editions].map(([id, members]) => `${id} (${members.map(([edition]) => edition).join(', ')})`).join(', ');
}
