import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { documents } from './docs/documents.ts';

/* Writes the pages under docs/ that come from the code. With --check it writes nothing and fails when one is out of step. */

const checkOnly = process.argv.includes('--check');

for (const { path, render } of documents) {
  const file = resolve(import.meta.dirname, '..', path);
  const text = render();
  if (!checkOnly) {
    writeFileSync(file, text);
  } else if (readIfThere(file) !== text) {
    process.stderr.write(`${path} is out of step with the code: run \`npm run docs\`\n`);
    process.exitCode = 1;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
