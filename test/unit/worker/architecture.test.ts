import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { steps } from '../../../src/worker/pipeline.ts';

const page = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8');

test('ARCHITECTURE.md draws the steps of the pipeline in their order', () => {
  const drawn = /^listener → (.+?) ─/m.exec(page)?.[1]?.split(' → ');
  assert.deepEqual(drawn, Object.keys(steps));
});

test('ARCHITECTURE.md explains each step that it draws', () => {
  const explained = [...page.matchAll(/^\| ([a-z, ]+) \|/gm)].flatMap((row) => (row[1] as string).split(', '));
  for (const step of [
    'listener',
    ...Object.keys(steps),
    'static',
    'cache',
    'proxy',
    'balancer',
    'upstream',
    'response',
  ]) {
    assert.ok(explained.includes(step), `no row for ${step}`);
  }
});

test('ARCHITECTURE.md names every folder of src', () => {
  for (const entry of readdirSync(new URL('../../../src', import.meta.url), { withFileTypes: true })) {
    if (entry.isDirectory())
      assert.match(page, new RegExp(`\`?(src/)?${entry.name}\\b`), `${entry.name} is not mentioned`);
  }
});
