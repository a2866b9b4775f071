import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeDisk } from '../../../src/static/disk.ts';
import { DiskTempo } from '../../../src/static/disk-tempo.ts';

/** Has the loop wait that long, from that time on. @returns when it may wait again */
function waitOnce(tempo: DiskTempo, at: number, ms: number): number {
  tempo.waited(at, at + ms);
  let again = at + ms;
  while (!tempo.mayWait(again)) again += 10;
  return again;
}

describe('the tempo of a disk', () => {
  it('lets the loop wait for as long as answers come from memory, through a pause now and then', () => {
    const tempo = new DiskTempo();
    let now = 0;
    for (let look = 1; look <= 100_000; look++) {
      assert.ok(tempo.mayWait(now));
      const ms = look % 30 === 0 ? 15 : 0.005;
      tempo.waited(now, now + ms);
      now += ms;
    }
  });

  it('has the loop wait for a slow disk once a minute', () => {
    const tempo = new DiskTempo();
    let now = 0;
    let looks = 0;
    while (now < 3_600_000) {
      now = waitOnce(tempo, now, 8);
      looks++;
    }
    assert.ok(looks < 80, `${looks} looks in an hour`);
  });

  it('finds back when a disk is quick again', () => {
    const tempo = new DiskTempo();
    let now = waitOnce(tempo, 0, 10_000);
    for (let look = 0; look < 1000; look++) now = waitOnce(tempo, now, 0.005);
    const again = waitOnce(tempo, now, 600);
    assert.ok(again - now < 800, 'it rests no longer than the first time');
  });

  it('asks once a device, and takes one that it cannot ask for a remote one', async () => {
    const tempo = new DiskTempo();
    const asked: string[] = [];
    const disk = {
      ...nodeDisk,
      isLocal: async (path: string) => {
        asked.push(path);
        if (path === '/gone') throw new Error('no such thing');
        return path === '/local';
      },
    };
    assert.equal(await tempo.learn(1n, '/local', disk), true);
    assert.equal(await tempo.learn(1n, '/local', disk), true);
    assert.equal(await tempo.learn(2n, '/remote', disk), false);
    assert.equal(await tempo.learn(3n, '/gone', disk), false);
    assert.deepEqual(asked, ['/local', '/remote', '/gone']);
  });

  it('knows the file system that this is tested on', async () => {
    assert.equal(await nodeDisk.isLocal('/proc'), false);
    assert.equal(typeof (await nodeDisk.isLocal(process.cwd())), 'boolean');
  });
});
