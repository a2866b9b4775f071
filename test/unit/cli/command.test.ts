import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCommand } from '../../../src/cli/command.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-command-'));
  writeFileSync(
    join(folder, 'good.yaml'),
    'sites: [{ routes: [{ path: /, respond: {} }, { path: /a, respond: {} }] }]',
  );
  writeFileSync(join(folder, 'bad.yaml'), 'workers: many\nsites: []\n');
});

after(() => rmSync(folder, { recursive: true }));

async function run(...argv: string[]): Promise<{ code: number; output: string; errors: string }> {
  let output = '';
  let errors = '';
  const terminal: Terminal = {
    print: (text) => {
      output += text;
    },
    error: (text) => {
      errors += text;
    },
    errorColour: false,
  };
  const code = await runCommand(argv, terminal);
  return { code, output, errors };
}

describe('portico check', () => {
  test('counts what a valid file has', async () => {
    const path = join(folder, 'good.yaml');
    const expected = { code: 0, output: `${path} is valid: 1 site, 2 routes, 0 upstreams\n`, errors: '' };
    assert.deepEqual(await run('check', '-c', path), expected);
  });

  test('tells every mistake on standard error and ends with 2', async () => {
    const path = join(folder, 'bad.yaml');
    const { code, output, errors } = await run('check', '-c', path);
    assert.deepEqual([code, output], [2, '']);
    assert.ok(errors.includes(`${path}:1:10: workers: wrong value "many"`));
    assert.ok(errors.includes(`${path}:2:8: sites: too few: an empty list`));
    assert.ok(errors.endsWith('2 problems found\n'));
  });

  test('ends with 2 when the file is not there', async () => {
    const { code, errors } = await run('check', '-c', join(folder, 'nowhere.yaml'));
    assert.equal(code, 2);
    assert.match(errors, /there is no such file or folder/);
  });
});

describe('portico schema', () => {
  test('prints the JSON Schema and nothing else', async () => {
    const { code, output, errors } = await run('schema');
    assert.deepEqual([code, errors], [0, '']);
    assert.equal((JSON.parse(output) as { title?: string }).title, 'Portico configuration');
  });
});

describe('portico version', () => {
  test('names Portico, Node.js and what it knows of uWebSockets.js', async () => {
    const { code, output } = await run('version');
    assert.equal(code, 0);
    assert.match(output, /^Portico \d+\.\d+\.\d+\nNode\.js \d+\.\d+\.\d+\n.*uWebSockets\.js/s);
    assert.ok(output.includes(process.versions.node));
  });
});

describe('bad usage', () => {
  const cases: [string, string[], RegExp][] = [
    ['an unknown command', ['chek'], /unknown command 'chek'[\s\S]*check/],
    ['an unknown option', ['check', '--confg', 'x'], /unknown option '--confg'/],
    ['an option without its value', ['serve', '--workers'], /argument missing/],
    ['an argument too many', ['schema', 'x'], /too many arguments/],
    ['a folder without its prefix', ['serve', '--static', './public'], /expected PREFIX=DIR/],
    ['flags that serve without a file beside one', ['serve', '-c', 'x', '--upstream', 'y'], /put them into the file/],
  ];
  for (const [name, argv, expected] of cases) {
    test(`such as ${name} ends with 2 and an explanation on standard error`, async () => {
      const { code, output, errors } = await run(...argv);
      assert.deepEqual([code, output], [2, '']);
      assert.match(errors, expected);
    });
  }

  test('such as no command at all ends with 2 and the help', async () => {
    const { code, errors } = await run();
    assert.equal(code, 2);
    assert.match(errors, /Usage: portico/);
  });
});

describe('the help', () => {
  for (const argv of [['--help'], ['help'], ['serve', '--help'], ['check', '-h'], ['help', 'serve']]) {
    test(`of \`portico ${argv.join(' ')}\` has examples and ends with 0`, async () => {
      const { code, output } = await run(...argv);
      assert.equal(code, 0);
      assert.match(output, /Examples?:\n {2}portico/);
    });
  }
});
