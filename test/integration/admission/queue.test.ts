import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { SharedCapacity } from '../../support/shared-capacity.ts';
import { waitFor, waitForTurn } from '../../support/wait-for.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const app = { upstream: 'app' };

describe('a server with maxConnections', () => {
  const things: { close(): unknown }[] = [];
  const closing = <T extends { close(): unknown }>(thing: T): T => {
    things.push(thing);
    return thing;
  };
  after(async () => {
    for (const thing of things) await thing.close();
  });

  /** An application that answers when the test says so. */
  async function heldOrigin() {
    const waiting: Socket[] = [];
    const origin = closing(await ScriptedOrigin.start((socket) => waiting.push(socket)));
    return { origin, waiting, answerNext: () => void waiting.shift()?.write(ok) };
  }

  function limited(origin: ScriptedOrigin, maxConnections: number, changes = {}, capacity?: SharedCapacity) {
    const server = { ...origin.server(), maxConnections };
    return closing(new Proxied([server], changes, {}, undefined, (capacity ?? new SharedCapacity()).worker()));
  }

  test('gets no more requests at a time; the others follow in the order they came', async () => {
    const { origin, waiting, answerNext } = await heldOrigin();
    const proxied = limited(origin, 2);
    const exchanges = [1, 2, 3, 4].map((number) => proxied.begin({ target: `/${number}` }));
    await waitFor(() => waiting.length === 2, 'two requests');
    assert.equal(proxied.admission.state.queued, 2);
    assert.equal(proxied.recorder.value(metricNames.upstreamQueued, app), 2);
    answerNext();
    await waitFor(() => origin.requests.length === 3, 'the third request');
    assert.match(origin.requests[2]?.head ?? '', /^GET \/3 /);
    await waitForTurn(() => {
      answerNext();
      return origin.requests.length === 4 && waiting.length === 0;
    }, 'the other requests');
    await Promise.all(exchanges.map((exchange) => exchange.finished));
    assert.ok(exchanges.every(({ status }) => status === 200));
    assert.equal(proxied.recorder.value(metricNames.upstreamQueued, app), 0);
  });

  test('is shared with other workers, and idle capacity moves to where it is needed', async () => {
    const { origin, waiting, answerNext } = await heldOrigin();
    const capacity = new SharedCapacity();
    const [one, two] = [limited(origin, 2, {}, capacity), limited(origin, 2, {}, capacity)];
    const first = [one.begin(), one.begin()];
    await waitFor(() => waiting.length === 2, 'both requests of one worker');
    answerNext();
    answerNext();
    await Promise.all(first.map(({ finished }) => finished));
    const second = [two.begin(), two.begin(), two.begin()];
    await waitFor(() => waiting.length === 2, 'two requests of the other worker');
    assert.equal(two.admission.state.queued, 1);
    const more = one.begin();
    answerNext();
    answerNext();
    await waitFor(() => waiting.length === 2, 'the next requests, of one and the other');
    answerNext();
    answerNext();
    await Promise.all([...second, more].map(({ finished }) => finished));
    assert.equal(origin.requests.length, 6);
  });

  test('has its part for the other workers when one of them dies', async () => {
    const { origin, waiting } = await heldOrigin();
    const capacity = new SharedCapacity();
    const [one, two] = [limited(origin, 1, {}, capacity), limited(origin, 1, {}, capacity)];
    one.begin();
    await waitFor(() => waiting.length === 1, 'the request');
    two.begin();
    await waitFor(() => two.admission.state.queued === 1, 'the other request to wait');
    capacity.died(0);
    await waitFor(() => waiting.length === 2, 'the other request');
  });

  test('answers 503 with Retry-After to what finds no place in the queue', async () => {
    const { origin, waiting } = await heldOrigin();
    const proxied = limited(origin, 1, { queue: { size: 1, timeout: 30_000 } });
    proxied.begin();
    await waitFor(() => waiting.length === 1, 'the first request');
    proxied.begin();
    const refused = await proxied.ask();
    assert.equal(refused.status, 503);
    assert.equal(refused.context?.error?.code, 'upstream_busy');
    assert.equal(refused.responseFields.get('retry-after'), '1');
    assert.equal(proxied.recorder.value(metricNames.upstreamRejected, { ...app, reason: 'queue_full' }), 1);
  });

  test('answers 503 to what has waited too long, and goes on with the others', async () => {
    const { origin, waiting, answerNext } = await heldOrigin();
    const proxied = limited(origin, 1, { queue: { size: 10, timeout: 200 } });
    const first = proxied.begin();
    await waitFor(() => waiting.length === 1, 'the first request');
    const late = await proxied.ask();
    assert.equal(late.status, 503);
    assert.equal(late.context?.error?.code, 'upstream_busy');
    assert.equal(proxied.recorder.value(metricNames.upstreamRejected, { ...app, reason: 'queue_timeout' }), 1);
    const next = proxied.begin();
    answerNext();
    await first.finished;
    await waitFor(() => waiting.length === 1, 'the next request');
    answerNext();
    await next.finished;
    assert.equal(next.status, 200);
    assert.equal(origin.requests.length, 2);
  });

  test('never hears of a request whose client went away while it waited', async () => {
    const { origin, waiting, answerNext } = await heldOrigin();
    const proxied = limited(origin, 1);
    proxied.begin({ target: '/first' });
    await waitFor(() => waiting.length === 1, 'the first request');
    const gone = proxied.begin({ target: '/gone' });
    const last = proxied.begin({ target: '/last' });
    gone.disconnect();
    assert.equal(proxied.admission.state.queued, 1);
    answerNext();
    await waitFor(() => waiting.length === 1, 'the last request');
    answerNext();
    await last.finished;
    assert.deepEqual(
      origin.requests.map(({ head }) => head.split(' ')[1]),
      ['/first', '/last'],
    );
  });

  test('has room again when a client goes away whose request it works on', async () => {
    const { origin, waiting } = await heldOrigin();
    const proxied = limited(origin, 1);
    const first = proxied.begin();
    await waitFor(() => waiting.length === 1, 'the first request');
    proxied.begin();
    first.disconnect();
    await waitFor(() => origin.requests.length === 2, 'the second request');
  });

  test('works on for a client that has gone where the route says so, and counts it to its end', async () => {
    const { origin, waiting, answerNext } = await heldOrigin();
    const server = { ...origin.server(), maxConnections: 1 };
    const proxied = closing(new Proxied([server], {}, { onClientAbort: 'finish' }));
    const first = proxied.begin({ method: 'POST', body: 'work' });
    await waitFor(() => waiting.length === 1, 'the first request');
    const second = proxied.begin();
    await waitFor(() => proxied.admission.state.queued === 1, 'the second request to wait');
    first.disconnect();
    assert.equal(proxied.admission.state.queued, 1);
    answerNext();
    await waitFor(() => waiting.length === 1, 'the second request');
    answerNext();
    await second.finished;
    assert.equal(second.status, 200);
    assert.equal(origin.connections, 1, 'the connection is used again');
  });
});
