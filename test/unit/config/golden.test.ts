import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { type ConfigProblem, formatProblems } from '../../../src/config/problem.ts';

/*
 * Every mistake is a file in test/fixtures/config with the message that it must give beside it. After a change of
 * wording, `PORTICO_WRITE_GOLDEN=1` writes the messages anew; read them in the diff.
 */

const folder = resolve(import.meta.dirname, '../../fixtures/config');
const cases = readdirSync(folder).filter((name) => /\.(yaml|json)$/.test(name));
const environment = { PORTICO_WORKERS: 'plenty' };

async function problemsOf(path: string): Promise<readonly ConfigProblem[]> {
  const result = await loadConfig({ kind: 'file', path }, environment);
  assert.ok(!result.ok, `${path} is valid`);
  return result.problems;
}

describe('a mistake in a configuration file', () => {
  // Messages name files as the user did, and relative ones are found from here.
  before(() => process.chdir(folder));

  for (const name of cases) {
    const expectedFile = join(folder, name.replace(/\.\w+$/, '.txt'));

    test(`${name} is told in full`, async () => {
      const text = formatProblems(await problemsOf(name), { colour: false }).replaceAll(folder, '<folder>');
      if (process.env['PORTICO_WRITE_GOLDEN']) writeFileSync(expectedFile, text);
      assert.ok(existsSync(expectedFile), `${expectedFile} is missing`);
      assert.equal(text, readFileSync(expectedFile, 'utf8'));
    });

    test(`${name} is told with place, what was found and what is allowed`, async () => {
      for (const problem of await problemsOf(name)) {
        assert.equal(problem.file, name);
        assert.notEqual(problem.found, '');
        assert.notEqual(problem.allowed, '');
        assert.doesNotMatch(problem.message, /invalid input|zod|undefined|\[object/i);
        if (!['folder.yaml', 'not-utf8.yaml'].includes(name))
          assert.ok(problem.line !== undefined && problem.column !== undefined, 'has no position');
      }
    });
  }

  test('has more than a hundred forms here', () => {
    assert.ok(cases.length > 100);
  });
});
