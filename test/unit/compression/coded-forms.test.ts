import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { type CodedFormLimits, CodedForms } from '../../../src/compression/coded-forms.ts';
import type { Coding } from '../../../src/compression/coding.ts';
import { metricNames } from '../../../src/metrics/names.ts';
import { decode } from '../../support/decoded-get.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { pageText } from '../../support/page-text.ts';

const page = Buffer.from(pageText(40_000));
const bounds = { threads: 1, queue: 4, maxBody: 1024 ** 2 };

function makeForms(context: TestContext, limits: Partial<CodedFormLimits> = {}, threadFile?: string) {
  const recorder = new FakeRecorder();
  const forms = new CodedForms({ ...bounds, ...limits }, recorder, threadFile);
  context.after(() => forms.close());
  const ask = (id: string, body: Uint8Array, coding: Coding): Promise<Buffer | undefined> | 'refused' => {
    let settle: (coded: Buffer | undefined) => void = () => {};
    const coded = new Promise<Buffer | undefined>((resolve) => (settle = resolve));
    return forms.request(id, body, coding, settle) === 'refused' ? 'refused' : coded;
  };
  const counted = (coding: Coding, result: string): number =>
    recorder.value(metricNames.compressionForms, { coding, result });
  return { forms, ask, counted, recorder };
}

describe('a form of a body that is made once', () => {
  for (const coding of ['gzip', 'br'] as const) {
    test(`decodes to the body, in ${coding}`, async (context) => {
      const { ask, counted } = makeForms(context);
      const coded = await ask('a', page, coding);
      assert.ok(coded instanceof Buffer);
      assert.ok(coded.length < page.length / 3);
      assert.ok(decode(coded, coding).equals(page));
      assert.equal(counted(coding, 'made'), 1);
    });
  }

  test('is made in zstd also where Node.js has none of its own', async (context) => {
    const { ask } = makeForms(context);
    const coded = await ask('a', page, 'zstd');
    assert.ok(coded instanceof Buffer);
    // RFC 8878 section 3.1.1: the magic number of a frame.
    assert.equal(coded.readUInt32LE(0), 0xfd2fb528);
    const { Zstd } = await import('@hpcc-js/wasm-zstd');
    assert.ok(Buffer.from((await Zstd.load()).decompress(coded)).equals(page));
  });

  test('is made once for all who ask for it meanwhile', async (context) => {
    const { ask, counted, recorder } = makeForms(context);
    const asked = [ask('a', page, 'br'), ask('a', page, 'br'), ask('a', page, 'br')];
    assert.equal(recorder.value(metricNames.compressionQueue), 1);
    const [first, ...others] = await Promise.all(asked.map(async (one) => one));
    for (const other of others) assert.equal(other, first);
    assert.equal(counted('br', 'made'), 1);
    assert.equal(recorder.value(metricNames.compressionQueue), 0);
  });

  test('is refused when too many wait, and made later', async (context) => {
    const { ask, counted } = makeForms(context, { queue: 1 });
    const asked = [ask('a', page, 'gzip'), ask('b', page, 'gzip')];
    assert.equal(ask('c', page, 'gzip'), 'refused');
    assert.equal(counted('gzip', 'refused'), 1);
    await Promise.all(asked.map(async (one) => one));
    assert.notEqual(ask('c', page, 'gzip'), 'refused');
  });

  test('is refused for large bodies, and without threads', (context) => {
    assert.equal(makeForms(context, { maxBody: 100 }).ask('a', page, 'gzip'), 'refused');
    assert.equal(makeForms(context, { threads: 0 }).ask('a', page, 'gzip'), 'refused');
  });

  test('is nothing where it is not smaller', async (context) => {
    const { ask, counted } = makeForms(context);
    assert.equal(await ask('a', randomBytes(5000), 'gzip'), undefined);
    assert.equal(counted('gzip', 'useless'), 1);
  });

  test('is nothing when its thread fails, and others are made', async (context) => {
    const { ask, counted } = makeForms(context);
    assert.equal(await ask('bad', page, 'unknown' as Coding), undefined);
    assert.equal(counted('unknown' as Coding, 'failed'), 1);
    assert.ok((await ask('good', page, 'gzip')) instanceof Buffer);
  });

  test('is nothing when its thread dies', async (context) => {
    const file = new URL('../../fixtures/threads/dying-thread.ts', import.meta.url).href;
    const { ask, counted } = makeForms(context, {}, file);
    assert.equal(await ask('a', page, 'gzip'), undefined);
    assert.equal(await ask('b', page, 'gzip'), undefined);
    assert.equal(counted('gzip', 'failed'), 2);
  });

  test('comes to nothing when the worker ends', async (context) => {
    const { ask, forms } = makeForms(context);
    const asked = ask('a', page, 'br');
    await forms.close();
    assert.equal(await asked, undefined);
    assert.equal(ask('b', page, 'br'), 'refused');
  });

  test('goes on with other threads after a reload', async (context) => {
    const { ask, forms } = makeForms(context);
    assert.ok((await ask('a', page, 'gzip')) instanceof Buffer);
    const pending = ask('b', page, 'gzip');
    forms.configure({ ...bounds, threads: 2 });
    assert.ok((await pending) instanceof Buffer);
    assert.ok((await ask('c', page, 'gzip')) instanceof Buffer);
  });
});
