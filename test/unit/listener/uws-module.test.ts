import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UwsModule } from '../../../src/listener/uws-api.ts';
import { loadUws, type UwsPlatform } from '../../../src/listener/uws-module.ts';

/** A machine on which some builds load. */
function platform(nodeVersion: string, ...loadable: string[]): UwsPlatform & { tried: string[] } {
  const tried: string[] = [];
  return {
    nodeVersion,
    cLibrary: () => 'glibc 2.36',
    tried,
    load(alias) {
      tried.push(alias);
      if (!loadable.includes(alias))
        throw new Error("what a loader says\nversion `GLIBC_2.38' not found\nRequire stack:\n- x");
      return { module: {} as UwsModule, version: alias.slice(4) };
    },
  };
}

describe('the build of uWebSockets.js', () => {
  test('is the current one where it loads', () => {
    for (const node of ['22.13.0', '24.1.0', '26.0.0']) {
      const loaded = loadUws(platform(node, 'uws-20.69', 'uws-20.51'));
      assert.deepEqual([loaded.version, loaded.compatibility, loaded.name], ['20.69', false, 'uWebSockets.js 20.69']);
    }
  });

  test('is the compatibility build on Node 22 where the current one does not load', () => {
    assert.equal(loadUws(platform('22.13.0', 'uws-20.51')).compatibility, true);
  });

  test('is the compatibility build on Node 20, and the other is not even tried', () => {
    const machine = platform('20.19.0', 'uws-20.69', 'uws-20.51');
    assert.equal(loadUws(machine).compatibility, true);
    assert.deepEqual(machine.tried, ['uws-20.51']);
  });

  test('is refused in one message with versions, reason and remedy where none loads', () => {
    const machine = platform('24.1.0', 'uws-20.51');
    assert.throws(() => loadUws(machine), /Node\.js 24\.1\.0, glibc 2\.36.*\n.*GLIBC_2\.38' not found\n.*npm install/);
    assert.deepEqual(machine.tried, ['uws-20.69']);
  });

  test('loads here, with the version of its own binary', () => {
    const { module, version, compatibility } = loadUws();
    assert.equal(typeof module.App, 'function');
    assert.match(version, compatibility ? /^20\.51\./ : /^20\.69\./);
  });
});
