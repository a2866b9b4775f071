import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRespondHandler } from '../../../src/respond/respond-handler.ts';
import { serializeFields } from '../../../src/response/response-head.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

function respond(
  options: { status?: number; body?: string; contentType?: string },
  fields: Buffer = Buffer.alloc(0),
): FakeExchange {
  const { status = 200, body = '', contentType = 'text/plain; charset=utf-8' } = options;
  const handler = createRespondHandler({ kind: 'respond', status, body, contentType }, { responseFields: fields });
  const exchange = new FakeExchange();
  handler.handle(exchange.withContext());
  return exchange;
}

test('the configured status, type and body are sent, the body as UTF-8', () => {
  const exchange = respond({ status: 418, body: 'tée', contentType: 'text/tea' });
  assert.equal(exchange.responseBlock, "418 I'm a Teapot\r\nContent-Type: text/tea");
  assert.equal(exchange.responseBody.toString(), 'tée');
});

test('a response without a body has no type', () => {
  const exchange = respond({ status: 204 });
  assert.equal(exchange.responseBlock, '204 No Content');
  assert.equal(exchange.complete, true);
});

test('a status without a standard phrase has one all the same', () => {
  assert.match(respond({ status: 299 }).responseBlock, /^299 \S/);
});

test('fields of the route are added, and its Content-Type replaces the one of the response', () => {
  const fields = serializeFields([
    ['X-A', 'b'],
    ['content-type', 'application/xml'],
  ]);
  const { responseFields } = respond({ body: '<a/>' }, fields);
  assert.deepEqual(responseFields.all('content-type'), ['application/xml']);
  assert.equal(responseFields.get('x-a'), 'b');
});
