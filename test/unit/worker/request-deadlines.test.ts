import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RequestContext } from '../../../src/request/request-context.ts';
import { RequestDeadlines } from '../../../src/worker/request-deadlines.ts';
import { waitFor } from '../../support/wait-for.ts';

/** As much of a request as deadlines look at. */
class Request {
  readonly startedAt: number;
  readonly exchange = { abort: () => (this.aborted = true) };
  aborted = false;
  error: { code: string } | undefined;

  constructor(ageMs: number) {
    this.startedAt = performance.now() - ageMs;
  }

  get context(): RequestContext {
    return this as unknown as RequestContext;
  }
}

function start(t: TestContext, limit: number | false): RequestDeadlines {
  const deadlines = new RequestDeadlines();
  deadlines.configure(limit);
  t.after(() => deadlines.close());
  return deadlines;
}

describe('the deadlines of requests', () => {
  test('end those that are due, with an error for the log, and no others', async (t) => {
    const deadlines = start(t, 3000);
    let cuts = 0;
    deadlines.onCut = () => (cuts += 1);
    const [late, ended, early] = [new Request(3500), new Request(3400), new Request(0)];
    for (const one of [late, ended, early]) deadlines.begin(one.context);
    deadlines.end(ended.context);
    await waitFor(() => late.aborted, 'the late one');
    assert.equal(late.error?.code, 'request_too_long');
    assert.deepEqual([ended.aborted, early.aborted, cuts], [false, false, 1]);
  });

  test('keep nothing of requests where there is no limit, nor of those from before one', async (t) => {
    const deadlines = start(t, false);
    const former = new Request(5000);
    deadlines.begin(former.context);
    deadlines.configure(100);
    const next = new Request(200);
    deadlines.begin(next.context);
    await waitFor(() => next.aborted, 'the next one');
    assert.equal(former.aborted, false);
  });
});
