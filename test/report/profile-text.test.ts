import { describe, expect, test } from '@jest/globals';
import { plain } from '../../src/report/paint.ts';
import { renderProfile, renderProfiles } from '../../src/report/profile-text.ts';
import { PROFILES } from '../../src/rules/profiles/index.ts';

describe('profiles on a terminal', () => {
  test('are listed with what is automated', () => {
    const lines = renderProfiles(PROFILES, plain).split('\n');
    expect(lines).toHaveLength(PROFILES.length + 1);
    expect(lines.find((line) => line.startsWith('disa-stig'))).toMatch(/^disa-stig +6 +4 +DISA STIGs/);
  });

  test.each(PROFILES.map((profile) => [profile.id, profile] as const))('%s tells all of its controls', (_, profile) => {
    const text = renderProfile(profile, plain);
    for (const { id, title, rules, note = '', notCovered = '' } of profile.controls)
      for (const part of [`${id}  ${title}`, ...rules, note, notCovered]) expect(text).toContain(part);
    expect(text).toContain(`Not covered\n${profile.notCovered}`);
    expect(text.match(/not verified$|not verified:/gm)?.length ?? 0).toBe(
      profile.controls.filter(({ verified }) => !verified).length,
    );
  });
});
