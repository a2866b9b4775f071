import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { extensions } from './extensions.ts';
import { section3 } from './section-3.ts';
import { section4Freshness } from './section-4-freshness.ts';
import { section4Age, section4Reuse } from './section-4-reuse.ts';
import { section4Invalidation, section4Validation } from './section-4-validation.ts';
import { section5 } from './section-5.ts';
import { section5Responses } from './section-5-responses.ts';
import type { Statement } from './statement.ts';

/** Every normative statement on shared caches, in the order of the documents. */
const statements: readonly Statement[] = [
  ...section3,
  ...section4Reuse,
  ...section4Freshness,
  ...section4Age,
  ...section4Validation,
  ...section4Invalidation,
  ...section5,
  ...section5Responses,
  ...extensions,
];

describe('RFC 9111, a shared cache', () => {
  for (const { section, level, says, cases = {} } of statements) {
    for (const [name, trial] of Object.entries(cases)) it(`${section} ${level} ${says}: ${name}`, trial);
  }

  it('is shown to keep to every statement, here or by a test that exists', () => {
    const names = testNames();
    const missing = statements.flatMap(({ shownBy = [] }) => shownBy.filter((name) => !names.has(name)));
    assert.deepEqual([...new Set(missing)], []);
    for (const { section, says, cases, shownBy } of statements) {
      assert.ok(cases !== undefined || shownBy !== undefined, `${section} ${says}`);
    }
  });

  it('has statements of every section that binds it', () => {
    const sections = new Set(statements.map(({ section }) => section));
    const expected = ['3', '3.1', '3.2', '3.3', '3.4', '3.5', '4', '4.1', '4.2', '4.2.1', '4.2.2', '4.2.3', '4.2.4'];
    expected.push(
      '4.3.1',
      '4.3.2',
      '4.3.3',
      '4.3.4',
      '4.3.5',
      '4.4',
      '5.1',
      '5.2',
      '5.2.1',
      '5.2.2',
      '5.2.3',
      '5.3',
      '5.4',
    );
    for (const number of [1, 2, 3, 4, 5, 6, 7]) expected.push(`5.2.1.${number}`);
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) expected.push(`5.2.2.${number}`);
    assert.deepEqual(
      expected.filter((section) => !sections.has(section)),
      [],
    );
  });
});

/** The names of all tests under test/. */
function testNames(): Set<string> {
  const root = new URL('../../', import.meta.url);
  const names = new Set<string>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.test.ts')) continue;
    const text = readFileSync(new URL(file, root), 'utf8');
    for (const [, , name] of text.matchAll(/\b(?:it|test)\((['"`])(.*?)\1,/gs)) names.add(name as string);
  }
  return names;
}
