import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { workerExecArgv } from '../../../src/primary/fork-worker.ts';

describe('the options of a worker', () => {
  test("let those of this process count where both say something, but for the inspector's", () => {
    const own = ['--allocation-site-pretenuring', '--inspect=9229', '--inspect-brk', '--import', 'tsx'];
    const options = workerExecArgv(own);
    assert.deepEqual(options.slice(-3), ['--allocation-site-pretenuring', '--import', 'tsx']);
    assert.equal(
      options.some((option) => option.startsWith('--inspect')),
      false,
    );
  });

  test('are known to this Node.js', () => {
    const { status, stderr } = spawnSync(process.execPath, [...workerExecArgv([]), '-e', '0'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
});
