import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './cached-programs.ts';

/** The release that reads OSCAL 1.1.3: later ones read 1.2 only. */
const TRESTLE = 'compliance-trestle==3.9.3';

const CACHE = cacheDirectory();
const PACKAGES = join(CACHE, TRESTLE.replace('==', '-'));

/** Undefined when trestle can be run; else why not. It is installed from PyPI the first time, whole or not at all. */
export function trestleMissing(): string | undefined {
  if (existsSync(PACKAGES)) return undefined;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, 'trestle-'));
  try {
    const { error, status, stderr } = spawnSync(
      'python3',
      ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--target', draft, TRESTLE],
      { encoding: 'utf8', timeout: 300_000 },
    );
    if (error || status !== 0) return `${TRESTLE} can not be installed: ${error?.message ?? stderr.trim()}`;
    if (!existsSync(PACKAGES)) renameSync(draft, PACKAGES);
    return undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const READ = [
  'import sys',
  'from trestle.oscal.assessment_results import Model',
  'from trestle.common.model_utils import ModelUtils',
  'model = Model.parse_raw(sys.stdin.read())',
  "assert ModelUtils.has_no_duplicate_values_by_name(model, 'uuid'), 'an identifier is used twice'",
  'print(len(model.assessment_results.results))',
].join('\n');

/** Reads assessment results as trestle does; the number of results in them, or what trestle has against the text. */
export function readByTrestle(text: string): { readonly results: number } | { readonly complaint: string } {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', READ], {
    input: text,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PYTHONPATH: PACKAGES, PYTHONDONTWRITEBYTECODE: '1' },
  });
  return status === 0 ? { results: Number(stdout) } : { complaint: stderr };
}
