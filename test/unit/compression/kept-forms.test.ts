import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { FormShelf } from '../../../src/compression/form-shelf.ts';
import { answerCompressed, type RouteCompression } from '../../../src/compression/route-compression.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { decode } from '../../support/decoded-get.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';
import { pageText } from '../../support/page-text.ts';
import { routeCompression } from '../../support/route-compression.ts';
import { waitFor } from '../../support/wait-for.ts';

const htmlHead = responseHead(200, [
  ['Content-Type', 'text/html'],
  ['ETag', '"v1"'],
]);

/** Answers as who keeps bodies does. */
function answer(compression: RouteCompression, body: Buffer, request: FakeRequest = {}, head = htmlHead): FakeExchange {
  const client = new FakeExchange({ fields: { 'accept-encoding': 'gzip' }, ...request });
  const context = client.withContext();
  compression.apply(context);
  if (!answerCompressed(context, head, body)) context.exchange.respond(head, body);
  return client;
}

const wasStored = (client: FakeExchange): boolean => !client.streamed && client.length === client.bytesSent;

async function untilStored(compression: RouteCompression, body: Buffer, request: FakeRequest = {}) {
  let client = answer(compression, body, request);
  await waitFor(() => {
    client = answer(compression, body, request);
    return (
      (compression as ReturnType<typeof routeCompression>).recorder.value(metricNames.compressedResponses, {
        coding: 'gzip',
        way: 'stored',
      }) > 0
    );
  }, 'the form');
  assert.ok(wasStored(client));
  return client;
}

describe('a body that is kept in memory', () => {
  test('is compressed once, and sent in that form from then on', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const body = Buffer.from(pageText(30_000));
    const first = answer(compression, body);
    assert.ok(decode(first.responseBody, 'gzip').equals(body), 'compressed on its way meanwhile');
    const client = await untilStored(compression, body);
    assert.ok(client.bytesSent < first.bytesSent);
    assert.ok(decode(client.responseBody, 'gzip').equals(body));
    assert.equal(client.responseFields.get('etag'), '"v1-gzip"');
    assert.equal(client.responseFields.get('content-encoding'), 'gzip');
    const counted = { coding: 'gzip', result: 'made' };
    assert.equal(compression.recorder.value(metricNames.compressionForms, counted), 1);
    const head = answer(compression, body, { method: 'HEAD' });
    assert.equal(head.length, client.bytesSent);
    assert.equal(head.bytesSent, 0);
  });

  test('goes out as it is while the form of a larger one is made', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const body = Buffer.from(pageText(200_000));
    const first = answer(compression, body);
    await first.finished;
    assert.equal(first.responseFields.get('content-encoding'), undefined);
    assert.equal(first.responseFields.get('vary'), 'Accept-Encoding');
    await untilStored(compression, body);
  });

  test('has no form for parts, other clients and heads that forbid it', async (context) => {
    const compression = routeCompression({ cookies: 'off' });
    context.after(() => compression.resources.forms.close());
    const body = Buffer.from(pageText(30_000));
    await untilStored(compression, body);
    const plain = (fields: Record<string, string>, head = htmlHead): boolean =>
      answer(compression, body, { fields }, head).responseFields.get('content-encoding') === undefined;
    assert.ok(plain({}));
    assert.ok(plain({ 'accept-encoding': 'gzip', range: 'bytes=0-1' }));
    assert.ok(plain({ 'accept-encoding': 'gzip', cookie: 'a=b' }));
    const type = ['Content-Type', 'text/html'] as const;
    assert.ok(plain({ 'accept-encoding': 'gzip' }, responseHead(200, [type, ['Set-Cookie', 'a=b']])));
    assert.ok(plain({ 'accept-encoding': 'gzip' }, responseHead(200, [type, ['Cache-Control', 'no-transform']])));
    assert.ok(plain({ 'accept-encoding': 'gzip' }, responseHead(200, [['Content-Type', 'image/png']])));
  });

  test('follows a head that changes', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const body = Buffer.from(pageText(30_000));
    await untilStored(compression, body);
    for (const age of ['1', '2']) {
      const head = responseHead(200, [
        ['Content-Type', 'text/html'],
        ['Age', age],
      ]);
      assert.equal(answer(compression, body, {}, head).responseFields.get('age'), age);
    }
  });

  test('is asked for once where compressing makes it no smaller', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const body = randomBytes(5000);
    const useless = (): number =>
      compression.recorder.value(metricNames.compressionForms, { coding: 'gzip', result: 'useless' });
    answer(compression, body);
    await waitFor(() => useless() === 1, 'the attempt');
    for (let round = 0; round < 3; round++) answer(compression, body);
    assert.equal(useless(), 1);
  });

  test('is looked for on the shelf first, and put there when it had to be made', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const { kept } = compression.resources;
    const made = (): number =>
      compression.recorder.value(metricNames.compressionForms, { coding: 'gzip', result: 'made' }) || 0;
    const shelf = new Map<string, Buffer>();
    const shelfOf = (name: string): FormShelf => ({
      find: (coding, found) => void setImmediate(() => found(shelf.get(name + coding))),
      keep: (coding, coded) => void shelf.set(name + coding, coded),
    });
    const [known, unknown] = [Buffer.from(pageText(9000)), Buffer.from(pageText(9500))];
    const form = Buffer.from('a form');
    shelf.set('known gzip', form);
    assert.equal(kept.find(known, ['gzip'], shelfOf('known ')), 'pending');
    await waitFor(() => kept.ready(known, ['gzip']) !== undefined, 'the form of the shelf');
    assert.equal(kept.ready(known, ['gzip'])?.body, form);
    assert.equal(made(), 0);
    assert.equal(kept.find(unknown, ['gzip'], shelfOf('unknown ')), 'pending');
    await waitFor(() => shelf.has('unknown gzip'), 'the form that was made');
    assert.equal(kept.ready(unknown, ['gzip'])?.body, shelf.get('unknown gzip'));
    assert.equal(made(), 1);
  });

  test('takes no more memory for forms than there is', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const { kept } = compression.resources;
    kept.configure(40_000);
    const bodies = Array.from({ length: 12 }, (_, index) => Buffer.from(`${index}${pageText(9500)}`));
    for (const body of bodies) {
      assert.equal(kept.find(body, ['gzip']), 'pending');
      await waitFor(() => kept.find(body, ['gzip']) !== 'pending', 'a form');
      assert.ok(kept.bytes <= 40_000);
    }
    assert.ok(kept.bytes > 0);
    assert.equal(kept.find(Buffer.from(pageText(11_000)), ['gzip']), undefined, 'too large for so little');
    kept.configure(0);
    assert.equal(kept.bytes, 0);
  });
});
