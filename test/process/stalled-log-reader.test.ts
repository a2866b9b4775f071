import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

// Plain JavaScript, because a loader such as tsx touches standard output first and so changes its mode.
const source = new URL('../../src/log/line-writer.ts', import.meta.url);
const bundled = buildSync({
  entryPoints: [fileURLToPath(source)],
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
});
const script = `
  ${bundled.outputFiles[0]?.text}
  let dropped = 0;
  const onDropped = (lines) => (dropped += lines);
  const writer = new LineWriter({ path: 'stdout', flushIntervalMs: 10, onDropped, onError: console.error });
  for (let index = 0; index < 4000; index += 1) writer.append('x'.repeat(1000));
  await writer.close();
  console.error('dropped ' + dropped);
  process.exit(0);
`;

const root = process.getuid?.() === 0;
const outputs: [kind: string, user: { uid?: number }, skip: string | false][] = [
  ['a socket', {}, false],
  ['a pipe', {}, false],
  // As in a container that runs as non-root: the pipe is there, but may not be opened by its name.
  ['the pipe of another user', { uid: 65_534 }, root ? false : 'only root can become another user'],
];

for (const [kind, user, skip] of outputs) {
  test(`access log lines to ${kind} that nobody reads do not hold the end of a worker`, { skip }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portico-stalled-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    const fd = openSync(pipe, constants.O_RDWR);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', kind === 'a socket' ? 'pipe' : fd, 'pipe'],
      cwd: '/',
      ...user,
    });
    const deadline = setTimeout(() => child.kill('SIGKILL'), 20_000);
    try {
      assert.ok(child.stderr);
      const errors = text(child.stderr);
      const [code] = await once(child, 'exit');
      assert.equal(code, 0, await errors);
      assert.match(await errors, /dropped 3\d\d\d/);
    } finally {
      clearTimeout(deadline);
      child.stdout?.destroy();
      closeSync(fd);
      rmSync(folder, { recursive: true });
    }
  });
}
