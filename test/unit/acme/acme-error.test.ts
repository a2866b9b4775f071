import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeProblem, readProblem } from '../../../src/acme/acme-error.ts';

describe('a problem document', () => {
  test('is told in one line, name by name', () => {
    const caa = {
      type: 'urn:ietf:params:acme:error:caa',
      detail: 'forbidden',
      identifier: { type: 'dns', value: 'a.test' },
    };
    const problem = readProblem({
      type: 'urn:ietf:params:acme:error:compound',
      detail: 'two\nlines',
      subproblems: [caa],
    });
    assert.equal(describeProblem(problem), 'compound: two lines (a.test: caa: forbidden)');
  });

  test('is cut where it is long, and cleared of what a terminal would obey', () => {
    const problem = readProblem({
      type: 'urn:x',
      detail: `\u001b[31m\u202e${'x'.repeat(10_000)}`,
      subproblems: Array.from({ length: 1000 }, () => ({})),
    });
    assert.equal(problem.detail.length, 500);
    assert.match(problem.detail, /^ \[31m x+$/);
    assert.equal(problem.subproblems.length, 20);
  });

  for (const value of [
    undefined,
    null,
    'text',
    7,
    [],
    { type: 3, detail: {}, subproblems: 'none' },
    { subproblems: [null] },
  ]) {
    test(`that is ${JSON.stringify(value)} is one of which nothing is known`, () => {
      assert.match(describeProblem(readProblem(value)), /^about:blank: /);
    });
  }
});
