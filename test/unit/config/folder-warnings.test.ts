import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';

/** Warnings of a configuration that keeps a cache and spools in a folder with that mode. */
async function warningsFor(t: TestContext, mode: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-folder-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'portico.yaml');
  writeFileSync(
    path,
    `admin: false
spool: { directory: . }
caches: { default: { directory: . } }
upstreams: { app: { servers: ["127.0.0.1:8000"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app }, cache: true }] }]\n`,
  );
  chmodSync(folder, mode);
  const loaded = await loadConfig({ kind: 'file', path }, {});
  assert.ok(loaded.ok);
  return loaded.warnings.join('\n');
}

test('a folder that everybody may write into is warned of', async (t) => {
  const warnings = await warningsFor(t, 0o777);
  assert.match(warnings, /^spool\.directory: everybody on this machine may write into /m);
  assert.match(
    warnings,
    /^caches\.default\.directory: everybody on this machine may write into .*, and put responses/m,
  );
});

test('where nobody may touch the files of others, files without names are safe, and responses are not', async (t) => {
  const warnings = await warningsFor(t, 0o1777);
  assert.doesNotMatch(warnings, /spool/);
  assert.match(warnings, /caches\.default\.directory/);
});

test('a folder of one user or group is not warned of', async (t) => {
  assert.equal(await warningsFor(t, 0o770), '');
});
