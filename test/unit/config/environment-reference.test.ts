import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { retypeScalar, substituteEnvironment, substituteInData } from '../../../src/config/environment-reference.ts';

const environment = { HOST: '10.0.0.1', EMPTY: '', TRICKY: '${HOST} $$' };

function substitute(text: string): string {
  const { text: result, mistakes } = substituteEnvironment(text, environment);
  assert.deepEqual(mistakes, []);
  return result;
}

describe('a reference to an environment variable', () => {
  test('becomes its value, anywhere in the text and several times', () => {
    assert.equal(substitute('http://${HOST}:80,${HOST}'), 'http://10.0.0.1:80,10.0.0.1');
  });

  test('takes its default when the variable is unset or empty', () => {
    assert.equal(substitute('${NONE:-8000}|${EMPTY:-x}|${HOST:-y}|${NONE:-}'), '8000|x|10.0.0.1|');
  });

  test('may have a default of any characters but a closing brace', () => {
    assert.equal(substitute('${NONE:-a:-b $c\n}'), 'a:-b $c\n');
  });

  test('is empty for a variable that is set to nothing', () => assert.equal(substitute('a${EMPTY}b'), 'ab'));

  test('stays literal behind a doubled dollar sign', () => {
    assert.equal(substitute('$${HOST} costs $$5 or $5, $$$$, ^x$'), '${HOST} costs $5 or $5, $$, ^x$');
  });

  test('is not looked for in what a variable holds', () => assert.equal(substitute('${TRICKY}'), '${HOST} $$'));

  test('is a mistake when unset without a default, malformed or unclosed', () => {
    for (const text of ['${NONE}', '${}', '${1A}', '${HOST-x}', '${ HOST }', '${HOST', '${NONE:-${HOST']) {
      assert.equal(substituteEnvironment(text, environment).mistakes.length, 1, text);
    }
  });

  test('does not reach inherited properties of the environment object', () => {
    assert.equal(substituteEnvironment('${NONE}', {}).mistakes.length, 1);
  });

  test('can be escaped for every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-') }), (text) => {
        assert.deepEqual(substituteEnvironment(text.replaceAll('$', '$$$$'), environment), { text, mistakes: [] });
      }),
    );
  });

  test('gives the value unchanged whatever it holds', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        assert.equal(substituteEnvironment('<${ANY}>', { ANY: value }).text, `<${value}>`);
      }),
    );
  });

  test('never makes the reader throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', '\n') }), (text) => {
        substituteEnvironment(text, { A: 'x' });
      }),
    );
  });
});

describe('an unquoted value after the replacement', () => {
  test('is a number or a boolean when it reads as one', () => {
    assert.deepEqual(['4', '-1.5', 'true', 'false'].map(retypeScalar), [4, -1.5, true, false]);
  });

  test('stays text otherwise', () => {
    for (const text of ['', '007', '1e3', '0x1F', 'yes', '4 ', '1.', '12345678901234567890']) {
      assert.equal(retypeScalar(text), text);
    }
  });
});

describe('references in plain data', () => {
  test('are replaced at every depth, and mistakes come with their path', () => {
    const reported: (readonly PropertyKey[])[] = [];
    const data = { a: ['${HOST}', { b: '${NONE}' }], n: 1, t: true, z: null };
    const result = substituteInData(data, environment, (path) => reported.push(path));
    assert.deepEqual(result, { a: ['10.0.0.1', { b: '${NONE}' }], n: 1, t: true, z: null });
    assert.deepEqual(reported, [['a', 1, 'b']]);
  });

  test('are looked for without end in no structure that contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    assert.doesNotThrow(() => substituteInData(loop, {}, () => assert.fail('a mistake')));
  });
});
