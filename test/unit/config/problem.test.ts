import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type ConfigProblem, formatProblems } from '../../../src/config/problem.ts';

const unknownUpstream: ConfigProblem = {
  file: 'portico.yaml',
  line: 12,
  column: 7,
  sourceLine: '      upstream: ap',
  flag: undefined,
  keyPath: 'sites[0].routes[2].proxy.upstream',
  message: 'unknown upstream "ap"',
  found: '"ap"',
  allowed: 'app, api',
  suggestion: 'app',
};

const head =
  'portico.yaml:12:7: sites[0].routes[2].proxy.upstream: unknown upstream "ap" — did you mean "app"? (allowed: app, api)';

describe('a problem as text', () => {
  test('names file, line, column, key, what was found, what was meant and what is allowed', () => {
    const text = formatProblems([unknownUpstream], { colour: false });
    assert.equal(text, `${head}\n  12 |       upstream: ap\n     |       ^\n`);
  });

  test('has the same words in colour', () => {
    const text = formatProblems([unknownUpstream], { colour: true });
    // oxlint-disable-next-line no-control-regex
    assert.match(text, /\u001b\[31m/);
    assert.equal(stripVTControlCharacters(text), formatProblems([unknownUpstream], { colour: false }));
  });

  test('names the flag when the value stands on the command line', () => {
    const place = { file: undefined, line: undefined, column: undefined, sourceLine: undefined };
    const problem = { ...unknownUpstream, ...place, flag: '--upstream x', keyPath: 'upstreams.app.servers[0]' };
    assert.match(formatProblems([problem], { colour: false }), /^--upstream x: upstreams\.app\.servers\[0\]: unknown/);
  });

  test('names the file alone for a module', () => {
    const place = { file: 'portico.config.ts', line: undefined, column: undefined, sourceLine: undefined };
    const text = formatProblems([{ ...unknownUpstream, ...place }], { colour: false });
    assert.match(text, /^portico\.config\.ts: sites\[0\]/);
    assert.equal(text.split('\n').length, 2);
  });

  test('puts the caret under its column behind tabs', () => {
    const problem = { ...unknownUpstream, sourceLine: '\t\tkey: x', column: 8 };
    assert.match(formatProblems([problem], { colour: false }), / {5}\| \t\t {5}\^\n$/);
  });

  test('shows a window of a very long line', () => {
    const problem = { ...unknownUpstream, sourceLine: `${'a'.repeat(5000)}!${'b'.repeat(5000)}`, column: 5001 };
    const [, line = '', caret = ''] = formatProblems([problem], { colour: false }).split('\n');
    assert.ok(line.length < 150);
    assert.equal(line[caret.indexOf('^')], '!');
  });

  test('is one after the other when there are several', () => {
    assert.equal(formatProblems([unknownUpstream, unknownUpstream], { colour: false }).split(head).length, 3);
  });
});
