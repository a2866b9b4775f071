import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { Proxied } from '../../support/proxied.ts';
import { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { waitFor } from '../../support/wait-for.ts';

const app = { upstream: 'app' };
const circuitBreaker = { errorRate: 50, window: 10_000, minRequests: 4, openFor: 150, probes: 2 };

describe('a circuit breaker', () => {
  const things: { close(): unknown }[] = [];
  const closing = <T extends { close(): unknown }>(thing: T): T => {
    things.push(thing);
    return thing;
  };
  after(async () => {
    for (const thing of things) await thing.close();
  });

  async function broken(changes = {}) {
    const state = { status: 500 };
    const origin = closing(
      await ScriptedOrigin.start(
        (socket) => void socket.write(`HTTP/1.1 ${state.status} X\r\nContent-Length: 0\r\n\r\n`),
      ),
    );
    const proxied = closing(new Proxied([origin.server()], { circuitBreaker, ...changes }));
    return { state, origin, proxied };
  }

  test('opens, fails fast with 503 and Retry-After, tries and closes again', async () => {
    const { state, origin, proxied } = await broken();
    for (let request = 0; request < 4; request++) assert.equal((await proxied.ask()).status, 500);
    const refused = await proxied.ask();
    assert.equal(refused.status, 503);
    assert.equal(refused.context?.error?.code, 'circuit_open');
    assert.equal(refused.responseFields.get('retry-after'), '1');
    assert.equal(origin.requests.length, 4);
    assert.equal(proxied.admission.state.circuit, 'open');
    assert.equal(proxied.recorder.value(metricNames.upstreamCircuit, app), 2);
    assert.equal(proxied.recorder.value(metricNames.upstreamRejected, { ...app, reason: 'circuit_open' }), 1);
    state.status = 200;
    await waitFor(async () => (await proxied.ask()).status === 200, 'a probe');
    await waitFor(async () => (await proxied.ask()).status === 200, 'the second probe');
    assert.equal(proxied.admission.state.circuit, 'closed');
    assert.deepEqual(
      proxied.logger.entries.map(({ level, message }) => `${level}: ${message}`),
      [
        'warn: the circuit of upstream app is open',
        'info: the circuit of upstream app is half-open',
        'info: the circuit of upstream app is closed',
      ],
    );
  });

  test('opens again while probes fail', async () => {
    const { proxied } = await broken();
    for (let request = 0; request < 4; request++) await proxied.ask();
    await waitFor(async () => (await proxied.ask()).status === 500, 'a probe');
    assert.equal((await proxied.ask()).status, 503);
    assert.equal(proxied.recorder.value(metricNames.upstreamCircuitOpened, app), 2);
  });

  test('is not opened by clients that go away', async () => {
    const origin = closing(await ScriptedOrigin.start(() => {}));
    const proxied = closing(new Proxied([origin.server()], { circuitBreaker }));
    for (let request = 0; request < 8; request++) {
      const exchange = proxied.begin();
      await waitFor(() => origin.requests.length === request + 1, 'the request');
      exchange.disconnect();
    }
    assert.equal(proxied.admission.state.circuit, 'closed');
  });

  test('is not there unless configured', async () => {
    const { proxied } = await broken({ circuitBreaker: undefined });
    for (let request = 0; request < 10; request++) assert.equal((await proxied.ask()).status, 500);
    assert.equal(proxied.admission.state.circuit, undefined);
  });
});
