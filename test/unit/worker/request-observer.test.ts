import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricNames } from '../../../src/metrics/names.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import type { Route } from '../../../src/route/route.ts';
import { RequestObserver } from '../../../src/worker/request-observer.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const route = { site: 'shop', name: '/api' } as Route;

function observed(request: FakeRequest = {}) {
  const recorder = new FakeRecorder();
  const logger = new RecordingLogger();
  const observer = new RequestObserver(recorder, logger);
  const exchange = new FakeExchange(request);
  const context = exchange.withContext();
  context.route = route;
  observer.started(exchange);
  const requests = (labels: Record<string, string>): number => recorder.value(metricNames.httpRequests, labels);
  return { recorder, logger, observer, exchange, context, requests };
}

test('an answered request is counted by site, route, method and status', () => {
  const { observer, exchange, context, requests, recorder } = observed({ method: 'POST' });
  exchange.respond(responseHead(201, []), Buffer.from('made'));
  observer.finished(context);
  assert.equal(requests({ site: 'shop', route: '/api', method: 'POST', status: '201' }), 1);
  const labels = { site: 'shop', route: '/api' };
  assert.equal(recorder.value(metricNames.httpResponseBytes, labels), 4);
  assert.equal(recorder.value(metricNames.httpRequestDuration, labels), 1);
  assert.equal(recorder.value(metricNames.httpRequestsInFlight), 0);
});

test('a client that leaves before a response is a 499, as in NGINX', () => {
  const { observer, exchange, context, requests } = observed();
  exchange.disconnect();
  observer.finished(context);
  assert.equal(requests({ site: 'shop', route: '/api', method: 'GET', status: '499' }), 1);
});

test('a request that found no route is counted under none', () => {
  const { observer, exchange, context, requests } = observed();
  context.route = undefined;
  exchange.respond(responseHead(404, []), Buffer.alloc(0));
  observer.finished(context);
  assert.equal(requests({ site: 'none', route: 'none', method: 'GET', status: '404' }), 1);
});

test('a method that nobody knows does not become a label', () => {
  const { observer, exchange, context, requests } = observed({ method: 'BREW' });
  exchange.respond(responseHead(200, []), Buffer.alloc(0));
  observer.finished(context);
  assert.equal(requests({ site: 'shop', route: '/api', method: 'OTHER', status: '200' }), 1);
});

for (const [code, level] of [
  ['route_not_found', undefined],
  ['upstream_timeout', 'warn'],
  ['internal', 'error'],
] as const) {
  test(`the error ${code} is counted and logged ${level === undefined ? 'nowhere' : `as ${level}`}`, () => {
    const { observer, context, recorder, logger } = observed();
    context.error = new PorticoError(code, 'why');
    observer.finished(context);
    assert.equal(recorder.value(metricNames.httpErrors, { code }), 1);
    assert.deepEqual(
      logger.entries.map((entry) => [entry.level, entry.message, entry.fields['requestId']]),
      level === undefined ? [] : [[level, 'why', context.requestId]],
    );
  });
}
