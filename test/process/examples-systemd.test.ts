import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import { ensureDebianPackage } from '../support/debian-package.ts';

const folder = fileURLToPath(new URL('../../examples/systemd', import.meta.url));
const unit = readFileSync(join(folder, 'portico.service'), 'utf8');
const skip = ensureDebianPackage('systemd', '/usr/bin/systemd-analyze') ?? false;

/** Of 100, where 96 is a service without any protection. */
const mostExposure = 20;

test('the unit says nothing that systemd does not understand', { skip }, (t) => {
  // The program lies elsewhere here; everything else is looked at as it is.
  const path = unitIn(t, unit.replaceAll('/usr/bin/portico', process.execPath));
  const { status, stderr } = analyze('verify', '--man=no', path);
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('a key that systemd does not know would be noticed', { skip }, (t) => {
  const path = unitIn(t, unit.replace('DynamicUser=', 'DynamicUsr=').replaceAll('/usr/bin/portico', process.execPath));
  assert.match(analyze('verify', '--man=no', path).stderr, /DynamicUsr/);
});

test('the service is exposed as little as a server can be', { skip }, (t) => {
  const exposure = (text: string) =>
    analyze('security', '--offline=true', `--threshold=${mostExposure}`, '--no-pager', unitIn(t, text));
  const { status, stdout } = exposure(unit);
  assert.equal(status, 0, stdout);
  // Without what keeps it from the rest of the machine it is over that.
  assert.notEqual(exposure(unit.replace(/^(?:Protect|Private|Restrict|SystemCall|Capability).*\n/gm, '')).status, 0);
});

test('V8 may write the code that it runs', () => {
  assert.doesNotMatch(unit, /^MemoryDenyWriteExecute=/m);
});

test('its configuration is valid', async () => {
  const loaded = await loadConfig({ kind: 'file', path: join(folder, 'portico.yaml') }, {});
  assert.deepEqual(loaded.ok ? [] : loaded.problems, []);
});

function unitIn(t: TestContext, text: string): string {
  const home = mkdtempSync(join(tmpdir(), 'portico-unit-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const path = join(home, 'portico.service');
  writeFileSync(path, text);
  return path;
}

function analyze(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('/usr/bin/systemd-analyze', args, { encoding: 'utf8', timeout: 60_000 });
}
