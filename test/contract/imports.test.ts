import { ESLint } from 'eslint';

/** What the linter says of a text, as if it stood in a file of the repository that is there already. */
async function lint(filePath: string, text: string): Promise<readonly string[]> {
  const eslint = new ESLint({ cwd: process.cwd() });
  const [result] = await eslint.lintText(text, { filePath });
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? 'parser'}: ${message}`);
}

describe('the direction of imports', () => {
  test('a file of core that opens files is refused', async () => {
    const messages = await lint(
      'src/core/version.ts',
      "import { readFileSync } from 'node:fs';\n\nexport const text = readFileSync('/etc/hosts', 'utf8');\n",
    );
    expect(messages).toContainEqual(expect.stringMatching(/no-restricted-imports.*Only src\/host opens files/));
  });

  test('a rule that imports the host reader is refused', async () => {
    const messages = await lint(
      'src/rules/id-range-short.ts',
      "import { createHostFs } from '../host/host-fs.ts';\n\nexport const host = createHostFs();\n",
    );
    expect(messages).toContainEqual(expect.stringMatching(/no-restricted-paths.*src\/rules imports only: core/));
  });

  test('a probe that imports a rule is refused', async () => {
    const messages = await lint(
      'src/probes/cgroup.ts',
      "import { RULES } from '../rules/index.ts';\n\nexport const count = RULES.length;\n",
    );
    expect(messages).toContainEqual(expect.stringMatching(/no-restricted-paths.*src\/probes imports only: core, host/));
  });

  test('a rule that reads the environment is refused', async () => {
    const messages = await lint('src/rules/id-range-short.ts', 'export const home = process.env;\n');
    expect(messages).toContainEqual(expect.stringMatching(/no-restricted-globals.*Only src\/cli\/main\.ts/));
  });

  test('a rule that imports core is accepted', async () => {
    const text = "import { pass } from '../core/rule.ts';\n\nexport const verdict = pass('it is so');\n";
    expect(await lint('src/rules/id-range-short.ts', text)).toEqual([]);
  });
});
