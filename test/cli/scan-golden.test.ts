import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import AjvDraft04 from 'ajv-draft-04';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { SCAN_FORMATS } from '../../src/report/scan-output.ts';
import { sampleRepository, userns } from './scan-cli.ts';

/** Rewritten by UPDATE_GOLDEN=1. */
const GOLDEN = join(import.meta.dirname, '../fixtures/scan-golden');
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};

describe('the outputs of a whole repository', () => {
  test.each([...SCAN_FORMATS.map((format) => [format, []] as const), ['text', ['--summary']] as const])(
    '%s %j',
    (format, flags) => {
      const { stdout, code, stderr } = userns(['scan', '.', '-o', format, ...flags], { cwd: sampleRepository() });
      const file = join(GOLDEN, [format, ...flags].join(''));
      const actual = stdout.replaceAll(`"${version}"`, '"VERSION"');
      if (process.env['UPDATE_GOLDEN']) {
        mkdirSync(GOLDEN, { recursive: true });
        writeFileSync(file, actual);
      }
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      expect(actual).toBe(readFileSync(file, 'utf8'));
    },
  );
});

describe('what stands there is valid', () => {
  const read = (path: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8')) as Record<string, unknown>;

  test('json by the published schema', () => {
    const validate = new Ajv2020().compile(read('../../docs/schema/scan-v1.json'));
    expect(validate(read('../fixtures/scan-golden/json')) ? [] : validate.errors).toEqual([]);
  });

  test('sarif by its schema', () => {
    const ajv = new AjvDraft04.default({ strict: false, unicodeRegExp: false, validateFormats: false });
    const validate = ajv.compile(read('../fixtures/schemas/sarif-2.1.0-rtm.5.json'));
    expect(validate(read('../fixtures/scan-golden/sarif')) ? [] : validate.errors).toEqual([]);
  });
});
