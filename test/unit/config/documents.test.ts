import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { documents } from '../../../scripts/docs/documents.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { keysOf } from '../../../src/config/schema-walk.ts';
import { errorCodes } from '../../../src/response/error-code.ts';

const top = resolve(import.meta.dirname, '../../..');

describe('a page that is written from the code', () => {
  for (const { path, render } of documents) {
    test(`${path} is in step with it (npm run docs)`, () => {
      assert.equal(readFileSync(resolve(top, path), 'utf8'), render());
    });
  }

  test('has a line for every configuration key of the top, and the way to those within', () => {
    const text = readFileSync(resolve(top, 'docs/configuration.md'), 'utf8');
    for (const key of keysOf(configSchema)) assert.ok(text.includes(`\n| \`${key}\` |`), key);
    const anchors = new Set(
      [...text.matchAll(/^## (.+)$/gm)].map(([, head = '']) => head.toLowerCase().replace(/[^a-z0-9_ -]/g, '')),
    );
    for (const [, anchor = ''] of text.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.has(anchor), anchor);
  });

  test('has a section for every error code', () => {
    const text = readFileSync(resolve(top, 'docs/errors.md'), 'utf8');
    for (const code of Object.keys(errorCodes)) assert.ok(text.includes(`\n## ${code}\n`), code);
  });
});
