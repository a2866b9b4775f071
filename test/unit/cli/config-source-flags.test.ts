import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { defaultConfigFiles } from '../../../src/cli/config-lookup.ts';
import { configSourceOf } from '../../../src/cli/config-source-flags.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-flags-'));
});

after(() => rmSync(folder, { recursive: true }));

describe('where the configuration comes from', () => {
  test('is the named file, with the flags that take the place of its values', () => {
    assert.deepEqual(configSourceOf({ config: 'a.yaml', listen: [':80'], workers: '2', admin: 'off' }, folder), {
      kind: 'file',
      path: 'a.yaml',
      overrides: { listen: [':80'], workers: '2', admin: 'off' },
    });
  });

  test('is the flags when they say what to serve', () => {
    const flags = { static: ['/s/=./a=b'], upstream: ['127.0.0.1:1', 'unix:/x'], accessLog: 'off' };
    assert.deepEqual(configSourceOf(flags, '/srv'), {
      kind: 'flags',
      static: [{ prefix: '/s/', folder: './a=b' }],
      upstream: ['127.0.0.1:1', 'unix:/x'],
      baseFolder: '/srv',
      accessLog: 'off',
    });
  });

  test('is a usage error when there is nothing to serve, which names what was looked for', () => {
    assert.throws(
      () => configSourceOf({ listen: [':80'] }, folder),
      (error) => error instanceof UsageError && defaultConfigFiles.every((name) => error.message.includes(name)),
    );
  });

  test('is the first of the files that are looked for in the working directory', () => {
    for (const name of defaultConfigFiles.toReversed()) {
      writeFileSync(join(folder, name), '');
      assert.deepEqual(configSourceOf({}, folder), { kind: 'file', path: name, overrides: {} });
    }
  });

  test('cannot be both a file and flags that serve without one', () => {
    assert.throws(() => configSourceOf({ config: 'a.yaml', static: ['/=x'] }, folder), UsageError);
    assert.throws(() => configSourceOf({ config: 'a.yaml', upstream: ['x:1'] }, folder), UsageError);
  });

  test('is no folder without a prefix that starts with a slash', () => {
    for (const text of ['', 'x', '=x', '/x=', '/x', 'static=./x']) {
      assert.throws(() => configSourceOf({ static: [text] }, folder), UsageError, text);
    }
  });
});
