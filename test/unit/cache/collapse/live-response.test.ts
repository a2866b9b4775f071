import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { LiveResponse } from '../../../../src/cache/collapse/live-response.ts';
import type { EntryWriter, StoreEntry } from '../../../../src/cache/response-store.ts';
import { responseHead } from '../../../../src/response/response-head.ts';
import { ReadBufferPool } from '../../../../src/static/read-buffer-pool.ts';
import { FakeExchange } from '../../../support/fake-exchange.ts';
import { FakeRecorder } from '../../../support/fake-recorder.ts';
import { waitFor } from '../../../support/wait-for.ts';

const head = responseHead(200, [['X-Test', '1']]);
const mebibyte = 1024 * 1024;

/** A store that does what the test says. */
class ScriptedWriter implements EntryWriter {
  onDrain: (() => void) | undefined;
  onProgress: (() => void) | undefined;
  written = 0;
  failed = false;
  readonly file = undefined;
  takes = true;
  abandoned = false;
  commits: ((entry: StoreEntry | undefined) => void)[] = [];

  write(chunk: Uint8Array): boolean {
    this.written += chunk.length;
    return this.takes;
  }

  held(): undefined {
    return undefined;
  }

  share(): void {}

  commit(done: (entry: StoreEntry | undefined) => void): void {
    this.commits.push(done);
  }

  abandon(): void {
    this.abandoned = true;
  }
}

function live(leader: FakeExchange | undefined, writer: EntryWriter | undefined, maxEntry = 100 * mebibyte) {
  const log: string[] = [];
  const response = new LiveResponse(leader, writer, maxEntry, new ReadBufferPool(mebibyte, new FakeRecorder()), {
    complete: (entry) => log.push(entry === undefined ? 'complete' : 'stored'),
    storeSlow: () => log.push('slow'),
    progressed: () => {},
  });
  return { response, log };
}

describe('a response that arrives', () => {
  test('is given whole to who comes between its end and its being stored', () => {
    const writer = new ScriptedWriter();
    const leader = new FakeExchange();
    const { response, log } = live(leader, writer);
    response.respond(head, Buffer.from('hello'));
    const late = new FakeExchange();
    assert.notEqual(response.attach(late, head), undefined);
    assert.equal(late.responseBody.toString(), 'hello');
    assert.ok(late.complete && leader.complete);
    assert.deepEqual(log, []);
    writer.commits[0]?.({} as StoreEntry);
    assert.deepEqual(log, ['stored']);
  });

  test('waits for nobody as long as it is stored', () => {
    const leader = new FakeExchange();
    leader.stall(10);
    const { response } = live(leader, new ScriptedWriter());
    const body = randomBytes(600_000);
    assert.equal(response.stream(head, body.length, body.subarray(0, 300_000)), true);
    assert.equal(response.write(body.subarray(300_000)), true);
    response.end();
    assert.equal(leader.complete, false);
    leader.drain();
    assert.ok(leader.responseBody.equals(body));
    assert.ok(leader.complete);
  });

  test('waits for who is behind when there is no store, and for no more than that', () => {
    const leader = new FakeExchange();
    const other = new FakeExchange();
    const { response, log } = live(leader, undefined);
    const body = randomBytes(900_000);
    response.stream(head, undefined, body.subarray(0, 10));
    assert.equal(response.attach(other, head), undefined, 'a part is nowhere any more');
    leader.stall(0);
    assert.equal(response.write(body.subarray(10, 100_000)), true);
    assert.equal(response.write(body.subarray(100_000, 500_000)), false);
    let drained = false;
    response.onDrain = () => (drained = true);
    leader.drain();
    assert.ok(drained);
    response.write(body.subarray(500_000));
    response.end();
    assert.ok(leader.responseBody.equals(body));
    assert.deepEqual(log, ['complete']);
  });

  test('goes on without the store when that does not follow', async () => {
    const writer = new ScriptedWriter();
    writer.takes = false;
    const leader = new FakeExchange();
    const { response, log } = live(leader, writer);
    let drained = false;
    response.onDrain = () => (drained = true);
    assert.equal(response.stream(head, undefined, Buffer.from('hello ')), false);
    await waitFor(() => drained, 'the end of patience');
    assert.ok(writer.abandoned);
    response.write(Buffer.from('world'));
    response.end();
    assert.equal(leader.responseBody.toString(), 'hello world');
    assert.deepEqual(log, ['slow', 'complete']);
  });

  test('that fails in the store, or is too large for it, is complete all the same', () => {
    const failing = new ScriptedWriter();
    const leader = new FakeExchange();
    leader.stall(3);
    const first = live(leader, failing);
    first.response.stream(head, undefined, Buffer.from('hello '));
    failing.failed = true;
    failing.onProgress?.();
    first.response.write(Buffer.from('world'));
    first.response.end();
    leader.drain();
    assert.equal(leader.responseBody.toString(), 'hello world');
    const large = new ScriptedWriter();
    const second = live(new FakeExchange(), large, 8);
    second.response.stream(head, undefined, Buffer.from('hello '));
    second.response.write(Buffer.from('world'));
    second.response.end();
    assert.ok(large.abandoned);
    assert.deepEqual(second.log, ['complete']);
  });

  test('that is shorter than announced is cut for all, and not stored', () => {
    const writer = new ScriptedWriter();
    const [leader, other] = [new FakeExchange(), new FakeExchange()];
    const { response } = live(leader, writer);
    response.attach(other, head);
    response.stream(head, 10, Buffer.from('short'));
    response.end();
    assert.ok(leader.aborted && other.aborted && writer.abandoned);
  });

  test('goes on for the others when the first one leaves', () => {
    const [leader, other] = [new FakeExchange(), new FakeExchange()];
    const { response } = live(leader, new ScriptedWriter());
    response.attach(other, head);
    response.stream(head, undefined, Buffer.from('a'));
    leader.disconnect();
    response.leaderGone();
    response.write(Buffer.from('b'));
    response.end();
    assert.equal(other.responseBody.toString(), 'ab');
    assert.ok(other.complete);
  });
});
