import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestContext } from '../../../src/request/request-context.ts';
import { type ErrorCode, errorCodes } from '../../../src/response/error-code.ts';
import { respondError } from '../../../src/response/error-response.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { responseHead, serializeFields } from '../../../src/response/response-head.ts';
import type { ErrorPage, ErrorPageKey, Route } from '../../../src/route/route.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const unreachable = new PorticoError('upstream_unreachable', 'connect ECONNREFUSED 10.9.8.7:8000');
const html = { fields: { Accept: 'text/html,*/*;q=0.8' } };
const json = { fields: { Accept: 'application/json' } };

interface Answer {
  readonly exchange: FakeExchange;
  readonly context: RequestContext;
  readonly body: string;
  field(name: string): string | undefined;
}

function answer(request: FakeRequest, error = unreachable, route?: Route, extra?: Buffer): Answer {
  const exchange = new FakeExchange(request);
  const context = exchange.withContext('/');
  context.requestIdValue = 'test-request-id';
  context.route = route;
  respondError(context, error, extra);
  const fields = exchange.responseFields;
  return { exchange, context, body: exchange.responseBody.toString(), field: (name) => fields.list(name) };
}

function routeWith(responseHeaders: Record<string, string>, pages: [ErrorPageKey, ErrorPage][] = []): Route {
  return {
    site: 's',
    name: 'r',
    handler: { handle: () => {} },
    bodyLimit: 0,
    responseFields: serializeFields(Object.entries(responseHeaders)),
    removedResponseFields: new Set(Object.keys(responseHeaders).map((name) => name.toLowerCase())),
    errorPages: new Map(pages),
  };
}

function page(text: string, contentType = 'text/html'): ErrorPage {
  return { contentType, body: Buffer.from(text) };
}

test('a browser gets a page that names Portico, the status, the error, who failed and the request id', () => {
  const { exchange, body, field, context } = answer(html);
  assert.equal(exchange.responseBlock.split('\r\n')[0], '502 Bad Gateway');
  assert.equal(field('content-type'), 'text/html; charset=utf-8');
  assert.equal(field('cache-control'), 'no-store');
  assert.equal(field('x-request-id'), 'test-request-id');
  const wanted = ['Portico', '502', 'upstream_unreachable', 'test-request-id', 'The application behind it failed'];
  for (const text of wanted) assert.ok(body.includes(text), text);
  assert.equal(context.error, unreachable);
});

test('a page refers to nothing outside itself and runs nothing', () => {
  const { body } = answer(html);
  assert.doesNotMatch(body, /https?:|src=|href=|url\(|@import|<script|\son\w+=/i);
});

test('a program gets JSON when it asks for it', () => {
  const { body, field } = answer(json);
  assert.equal(field('content-type'), 'application/json');
  assert.deepEqual(JSON.parse(body), {
    error: {
      code: 'upstream_unreachable',
      status: 502,
      message: 'The application is not reachable.',
      requestId: 'test-request-id',
    },
  });
});

test('a command line gets plain text', () => {
  const { body, field } = answer({ fields: { Accept: '*/*' } });
  assert.equal(field('content-type'), 'text/plain; charset=utf-8');
  assert.match(body, /^502 Bad Gateway\n/);
  assert.match(body, /Request id: test-request-id\n$/);
});

test('every error code has a body in every form, with its status and without its detail', () => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    for (const request of [html, json, {}]) {
      const { exchange, body } = answer(request, new PorticoError(code, 'secret-detail'));
      assert.equal(exchange.status, errorCodes[code].status);
      assert.ok(body.includes(code) && body.includes('test-request-id'), `${code}: ${body}`);
      assert.ok(!body.includes('secret-detail') && !body.includes('@request'), `${code}: ${body}`);
    }
  }
});

test('nothing of the detail or the cause reaches the client', () => {
  const error = new PorticoError('internal', '/srv/secret', { cause: new Error('/etc/shadow') });
  for (const request of [html, json, {}]) {
    const { exchange, body } = answer(request, error);
    assert.doesNotMatch(body + exchange.responseBlock, /secret|shadow|10\.9\.8\.7/);
  }
});

test('a response that has begun is cut instead of answered', () => {
  const exchange = new FakeExchange();
  const context = exchange.withContext();
  exchange.stream(responseHead(200, []), 100, Buffer.from('part'));
  respondError(context, unreachable);
  assert.equal(exchange.aborted, true);
  assert.equal(exchange.status, 200);
  assert.equal(context.error, unreachable);
});

test('a client that has gone gets nothing', () => {
  const exchange = new FakeExchange();
  const context = exchange.withContext();
  exchange.disconnect();
  respondError(context, unreachable);
  assert.equal(exchange.responded, false);
  assert.equal(context.error, unreachable);
});

test('fields of the error, of the caller and of the route are all there', () => {
  const allow = serializeFields([['Allow', 'GET, HEAD']]);
  const error = new PorticoError('method_not_allowed', '', { fields: allow });
  const extra = serializeFields([['Content-Range', 'bytes */10']]);
  const { field } = answer({}, error, routeWith({ 'X-Frame-Options': 'DENY' }), extra);
  assert.equal(field('allow'), 'GET, HEAD');
  assert.equal(field('content-range'), 'bytes */10');
  assert.equal(field('x-frame-options'), 'DENY');
});

test('the cache fields that a route sets for its files do not keep an error in caches', () => {
  const route = routeWith({ 'cache-control': 'max-age=31536000', 'Content-Type': 'image/png', 'X-A': 'b' });
  const { field } = answer(html, unreachable, route);
  assert.equal(field('cache-control'), 'no-store');
  assert.equal(field('content-type'), 'text/html; charset=utf-8');
  assert.equal(field('x-a'), 'b');
});

test('the page of the very status goes before the one of its class', () => {
  const pages: [ErrorPageKey, ErrorPage][] = [
    ['5xx', page('class')],
    [502, page('exact', 'text/html; charset=iso-8859-1')],
    ['4xx', page('other')],
  ];
  const exact = answer(html, unreachable, routeWith({}, pages));
  assert.equal(exact.body, 'exact');
  assert.equal(exact.field('content-type'), 'text/html; charset=iso-8859-1');
  assert.equal(exact.field('x-request-id'), 'test-request-id');
  assert.equal(answer(html, new PorticoError('upstream_timeout', ''), routeWith({}, pages)).body, 'class');
  assert.equal(answer(html, new PorticoError('file_not_found', ''), routeWith({}, pages)).body, 'other');
});

test('a custom page is for command lines too, but not for programs that ask for JSON', () => {
  const route = routeWith({}, [['5xx', page('custom')]]);
  assert.equal(answer({}, unreachable, route).body, 'custom');
  assert.equal(answer(json, unreachable, route).field('content-type'), 'application/json');
  const own = routeWith({}, [['5xx', page('{"own":1}', 'application/json')]]);
  assert.equal(answer(json, unreachable, own).body, '{"own":1}');
});

test('the pages of the site serve where no route was found', () => {
  const exchange = new FakeExchange();
  const context = exchange.withContext();
  context.site = { errorPages: new Map([[404, page('lost')]]), find: () => unreachable };
  respondError(context, new PorticoError('route_not_found', ''));
  assert.equal(exchange.responseBody.toString(), 'lost');
});

test('maintenance has a page of its own, then that of its status', () => {
  const maintenance = new PorticoError('upstream_maintenance', 'all servers', {
    fields: serializeFields([['Retry-After', '30']]),
  });
  const own = answer(
    html,
    maintenance,
    routeWith({}, [
      ['maintenance', page('working on it')],
      [503, page('busy')],
    ]),
  );
  assert.equal(own.body, 'working on it');
  assert.equal(own.field('retry-after'), '30');
  assert.equal(answer(html, maintenance, routeWith({}, [['5xx', page('any')]])).body, 'any');
  assert.equal(answer(html, unreachable, routeWith({}, [['maintenance', page('working on it')]])).exchange.status, 502);
  assert.match(answer(json, maintenance, routeWith({}, [['maintenance', page('x')]])).body, /upstream_maintenance/);
});

test('maintenance and restarting are not told as failures', () => {
  for (const [code, words] of [
    ['upstream_maintenance', 'in maintenance'],
    ['upstream_restarting', 'restarting'],
  ] as const) {
    const { body } = answer(html, new PorticoError(code, 'detail'));
    assert.ok(body.includes(`<b>Application</b> <span>${words}</span>`), code);
    assert.doesNotMatch(body, />failed<|behind it failed/, code);
    assert.ok(body.includes('<b>Portico</b> <span>working</span>'), code);
  }
});
