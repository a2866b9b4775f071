import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { UpstreamConfig } from '../../../src/config/config.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function closing<T extends { close(): unknown }>(thing: T): T {
  closers.unshift(() => thing.close());
  return thing;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

/** An application that takes so long for each request. */
async function takes(milliseconds: number): Promise<ScriptedOrigin> {
  return closing(
    await ScriptedOrigin.start((socket) => {
      setTimeout(() => !socket.destroyed && socket.write(ok, 'latin1'), milliseconds);
    }),
  );
}

/** Which part of the requests each gets that so many clients send one after the other. */
async function sharesOf(
  origins: readonly ScriptedOrigin[],
  changes: Partial<UpstreamConfig>,
  { clients = 12, turns = 50 } = {},
): Promise<number[]> {
  const proxied = closing(
    new Proxied(
      origins.map((origin) => origin.server()),
      changes,
    ),
  );
  let failed = 0;
  const client = async () => {
    for (let turn = 0; turn < turns; turn++) if ((await proxied.ask()).status !== 200) failed++;
  };
  await Promise.all(Array.from({ length: clients }, client));
  assert.equal(failed, 0);
  return origins.map(({ requests }) => requests.length / (clients * turns));
}

describe('with one server that is ten times slower', () => {
  for (const balance of ['least-requests', 'random-two', 'peak-ewma'] as const) {
    test(`${balance} gives it at most a fifth of the requests`, async () => {
      const origins = [await takes(5), await takes(50), await takes(5)];
      const shares = await sharesOf(origins, { balance });
      assert.ok((shares[1] ?? 1) <= 0.2, shares.join(' '));
    });
  }

  test('round-robin gives it its share all the same', async () => {
    const origins = [await takes(2), await takes(20)];
    assert.deepEqual(await sharesOf(origins, {}, { clients: 4, turns: 20 }), [0.5, 0.5]);
  });
});

describe('among servers that are alike', () => {
  for (const balance of ['least-requests', 'random-two', 'peak-ewma'] as const) {
    test(`${balance} shares about evenly`, async () => {
      const origins = [await takes(3), await takes(3), await takes(3)];
      const shares = await sharesOf(origins, { balance }, { clients: 12, turns: 50 });
      for (const share of shares) assert.ok(share > 0.2 && share < 0.47, shares.join(' '));
    });
  }
});

test('a hash bounds how much a server gets of a single key', async () => {
  const origins = [await takes(5), await takes(5)];
  const bounded = await sharesOf(origins, { balance: { hash: { by: 'address', maxLoad: 1.25 } } }, { turns: 20 });
  assert.ok(Math.min(...bounded) > 0.2, bounded.join(' '));
});

test('a hash without a bound keeps a key at its server', async () => {
  const origins = [await takes(1), await takes(1)];
  const shares = await sharesOf(origins, { balance: { hash: { by: 'address', maxLoad: false } } }, { turns: 10 });
  assert.deepEqual(shares.toSorted(), [0, 1]);
});
