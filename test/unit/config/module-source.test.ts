import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { formatProblems } from '../../../src/config/problem.ts';

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-module-'));
});

after(() => rmSync(folder, { recursive: true }));

const allowed = '(allowed: export default defineConfig({ … }))';

/** What the module holds, and the whole message without its folder. */
const mistakes: [string, string, string][] = [
  ['that throws', "throw new Error('no database');", `: the module failed: Error: no database ${allowed}`],
  ['that throws no error', "throw 'no database';", `: the module failed: no database ${allowed}`],
  [
    'that rejects',
    "export default Promise.reject(new TypeError('no'));",
    `: the module failed: TypeError: no ${allowed}`,
  ],
  ['without a default export', 'export const config = {};', `: the module's default export is nothing ${allowed}`],
  ['that exports a function', 'export default () => ({});', `: the module's default export is a function ${allowed}`],
  ['that exports a number', 'export default 5;', `: the module's default export is 5 ${allowed}`],
  [
    'with a value out of range',
    "import { defineConfig } from 'portico';\nexport default defineConfig({ workers: 0, sites: [{ routes: [{ path: '/', respond: {} }] }] });",
    ': workers: out of range: 0 (allowed: auto, or a whole number from 1 to 1024)',
  ],
  [
    'with a variable that is not set',
    "export default { listen: [':${PORT}'], sites: [{ routes: [{ path: '/', respond: {} }] }] };",
    ': listen[0]: the environment variable PORT is not set (allowed: a variable that is set, or a default: ${PORT:-value})',
  ],
];

describe('a configuration module', () => {
  for (const [name, text, expected] of mistakes) {
    test(`${name} is told by its name and what is wrong`, async () => {
      const path = join(folder, 'portico.config.ts');
      writeFileSync(path, text);
      const result = await loadConfig({ kind: 'file', path }, {});
      assert.ok(!result.ok);
      assert.equal(formatProblems(result.problems, { colour: false }), `${path}${expected}\n`);
    });
  }

  test('with broken syntax is told with its reason', async () => {
    const path = join(folder, 'portico.config.ts');
    writeFileSync(path, 'export default {\n  workers: 2,,\n};\n');
    const result = await loadConfig({ kind: 'file', path }, {});
    assert.ok(!result.ok);
    assert.match(result.problems[0]?.message ?? '', /^the module failed: .*Unexpected token/);
  });

  test('that is not there is told so', async () => {
    const result = await loadConfig({ kind: 'file', path: join(folder, 'nowhere.config.mjs') }, {});
    assert.ok(!result.ok);
    assert.match(result.problems[0]?.message ?? '', /there is no such file or folder/);
  });
});
