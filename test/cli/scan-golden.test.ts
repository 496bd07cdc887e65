import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
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
