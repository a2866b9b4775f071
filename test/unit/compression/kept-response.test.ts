import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeptResponse } from '../../../src/compression/kept-response.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { decode } from '../../support/decoded-get.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { pageText } from '../../support/page-text.ts';
import { routeCompression } from '../../support/route-compression.ts';
import { waitFor } from '../../support/wait-for.ts';

const head = (age = '0') =>
  responseHead(200, [
    ['Content-Type', 'text/html'],
    ['Age', age],
  ]);
const request = (acceptEncoding?: string, method = 'GET') =>
  new FakeExchange({ method, fields: acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding } }).head;

describe('a response that is kept in memory, at a glance', () => {
  test('goes out in the form that each client accepts, in turn, with the head of the moment', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const { kept } = compression.resources;
    const body = Buffer.from(pageText(9000));
    for (const coding of ['gzip', 'br'] as const) {
      assert.equal(kept.find(body, [coding]), 'pending');
      await waitFor(() => kept.ready(body, [coding]) !== undefined, 'the form');
    }
    const response = new KeptResponse(compression, head(), body);
    for (const age of ['1', '2']) {
      const now = head(age);
      for (const coding of ['gzip', 'gzip', 'br', 'gzip', 'br'] as const) {
        const answer = response.answer(request(coding), now);
        assert.equal(answer?.coding, coding);
        assert.ok(decode(answer.body, coding).equals(body));
        assert.match(
          answer.head.block.toString(),
          new RegExp(`Age: ${age}\\r\\nContent-Encoding: ${coding}\\r\\nVary`),
        );
        assert.equal(response.answer(request(), now)?.body, body);
      }
      assert.equal(response.answer(request('gzip', 'HEAD'), now)?.coding, 'gzip');
    }
    const labels = { coding: 'gzip', way: 'stored' };
    assert.equal(compression.recorder.value(metricNames.compressedResponses, labels), 6, 'without the HEADs');
  });

  test('is not answered with a form that memory has let go of', async (context) => {
    const compression = routeCompression();
    context.after(() => compression.resources.forms.close());
    const { kept } = compression.resources;
    const body = Buffer.from(pageText(9000));
    const other = Buffer.from(`other ${pageText(9000)}`);
    for (const one of [body, other]) {
      kept.find(one, ['gzip']);
      await waitFor(() => kept.ready(one, ['gzip']) !== undefined, 'the form');
    }
    const now = head();
    const response = new KeptResponse(compression, now, body);
    assert.equal(response.answer(request('gzip'), now)?.coding, 'gzip');
    // Not the one that was used last any more, and then the first to go.
    assert.ok(kept.ready(other, ['gzip']));
    assert.equal(response.answer(request('gzip'), now)?.coding, 'gzip');
    assert.ok(kept.ready(other, ['gzip']));
    kept.configure(kept.bytes - 1);
    assert.equal(response.answer(request('gzip'), now), undefined);
  });
});
