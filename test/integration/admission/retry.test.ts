import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { loopRounds } from '../../support/loop-rounds.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const failing = (status: number) => `HTTP/1.1 ${status} Bad\r\nContent-Length: 3\r\n\r\nbad`;
const retry = { on: ['connect' as const, 'reset' as const], attempts: 3, budget: 20 };
const app = { upstream: 'app' };

describe('a retry', () => {
  const things: { close(): unknown }[] = [];
  const closing = <T extends { close(): unknown }>(thing: T): T => {
    things.push(thing);
    return thing;
  };
  after(async () => {
    for (const thing of things) await thing.close();
  });

  async function origins(...responses: (string | ((socket: import('node:net').Socket) => void))[]) {
    const started = responses.map((response) =>
      typeof response === 'string' ? ScriptedOrigin.answering(response) : ScriptedOrigin.start(response),
    );
    return (await Promise.all(started)).map(closing);
  }

  for (const status of [502, 503, 504] as const) {
    test(`for ${status} goes to the next server where it is configured`, async () => {
      const [bad, good] = await origins(failing(status), ok);
      const servers = [bad?.server(), good?.server()].filter((server) => server !== undefined);
      const proxied = closing(new Proxied(servers, { retry: { ...retry, on: [...retry.on, status] } }));
      for (let request = 0; request < 4; request++) assert.equal((await proxied.ask()).status, 200);
      assert.ok((bad?.requests.length ?? 0) > 0);
      const plain = closing(new Proxied(servers));
      const statuses = [await plain.ask(), await plain.ask()].map((exchange) => exchange.status);
      assert.deepEqual(statuses.toSorted(), [200, status], 'not otherwise');
    });
  }

  test('for a status is not made of what may not be sent twice', async () => {
    const [bad, good] = await origins(failing(503), ok);
    const servers = [bad?.server(), good?.server()].filter((server) => server !== undefined);
    const proxied = closing(new Proxied(servers, { retry: { ...retry, on: [503] } }));
    const statuses = [];
    for (let request = 0; request < 2; request++) statuses.push((await proxied.ask({ method: 'POST' })).status);
    assert.deepEqual(statuses.toSorted(), [200, 503]);
  });

  test('that finds no other server passes the answer on', async () => {
    const [bad] = await origins(failing(503));
    const servers = [bad?.server()].filter((server) => server !== undefined);
    const exchange = await closing(new Proxied(servers, { retry: { ...retry, on: [503] } })).ask();
    assert.equal(exchange.status, 503);
    assert.equal(exchange.responseBody.toString(), 'bad');
    assert.equal(bad?.requests.length, 1);
  });

  test('where all answer badly passes the last answer on', async () => {
    const [one, two] = await origins(failing(502), failing(502));
    const servers = [one?.server(), two?.server()].filter((server) => server !== undefined);
    const exchange = await closing(new Proxied(servers, { retry: { ...retry, on: [502] } })).ask();
    assert.equal(exchange.status, 502);
    assert.equal(exchange.responseBody.toString(), 'bad');
    assert.equal(exchange.context?.error, undefined);
    assert.equal((one?.requests.length ?? 0) + (two?.requests.length ?? 0), 2);
  });

  test('for a server that does not answer in time is made where it is configured', async () => {
    const [silent, good] = await origins(() => {}, ok);
    const servers = [silent?.server(), good?.server()].filter((server) => server !== undefined);
    const timeouts = { response: 100 };
    const proxied = closing(new Proxied(servers, { timeouts, retry: { ...retry, on: ['timeout'] } }));
    for (let request = 0; request < 2; request++) assert.equal((await proxied.ask()).status, 200);
    const plain = closing(new Proxied(servers, { timeouts }));
    const statuses = [await plain.ask(), await plain.ask()].map((exchange) => exchange.status);
    assert.deepEqual(statuses.toSorted(), [200, 504]);
  });

  test('is not made once a part of a response was passed on', async () => {
    const [broken, good] = await origins((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      void loopRounds().then(() => socket.end());
    }, ok);
    const servers = [broken?.server(), good?.server()].filter((server) => server !== undefined);
    const proxied = closing(new Proxied(servers));
    const cut = [await proxied.ask(), await proxied.ask()].map((exchange) => exchange.aborted);
    assert.deepEqual(cut.toSorted(), [false, true]);
  });

  test('is not made beyond the budget', async () => {
    const [broken] = await origins((socket) => socket.destroy());
    const servers = [broken?.server()].filter((server) => server !== undefined);
    const proxied = closing(new Proxied(servers, { retry: { ...retry, budget: 0 } }));
    for (let request = 0; request < 60; request++) assert.equal((await proxied.ask()).status, 502);
    assert.equal(broken?.requests.length, 60 + 100, 'a hundred are allowed in any case');
    assert.equal(proxied.recorder.value(metricNames.upstreamRetries, app), 100);
    assert.equal(proxied.recorder.value(metricNames.upstreamRetriesDenied, app), 10);
  });
});
