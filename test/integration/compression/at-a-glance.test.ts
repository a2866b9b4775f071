import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decode } from '../../support/decoded-get.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { pageText } from '../../support/page-text.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';

/* Files in memory are answered at a glance, on connections that are kept. What goes out compressed is what a request gets that is read whole. */

interface Answer {
  readonly status: number;
  readonly coding: string | undefined;
  readonly etag: string | undefined;
  readonly vary: string | undefined;
  readonly body: Buffer;
}

const hourAgo = new Date(Date.now() - 3_600_000);
const texts: Readonly<Record<string, string>> = { '/page.html': pageText(20_000), '/ready.css': pageText(5000) };
const rounds = 3;

describe('a file of a static route with compress, over a connection that is kept', () => {
  let folder: string;
  let worker: InProcessWorker;
  let client: RawClient;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portico-glance-'));
    const write = (name: string, contents: string | Buffer): void => {
      writeFileSync(join(folder, name), contents);
      utimesSync(join(folder, name), hourAgo, hourAgo);
    };
    for (const [path, contents] of Object.entries(texts)) write(path, contents);
    write('/ready.css.gz', gzipSync(texts['/ready.css'] ?? ''));
    worker = await startInProcessWorker(
      `fileCache: { revalidate: 1h }\nsites: [{ routes: [{ path: /, static: { root: ${folder} }, compress: true }] }]\n`,
    );
    client = await RawClient.connect(worker.port);
  });

  after(async () => {
    client.destroy();
    await worker.close();
    rmSync(folder, { recursive: true });
  });

  async function ask(kept: RawClient, path: string, fields: readonly string[]): Promise<Answer> {
    kept.send(['GET', path, 'HTTP/1.1\r\nHost: h\r\n'].join(' ') + [...fields, '', ''].join('\r\n'));
    const response = await kept.response();
    const [coding, etag, vary] = ['content-encoding', 'etag', 'vary'].map((name) => response.field(name));
    return { status: response.status, coding, etag, vary, body: response.body };
  }

  /** The same asked for in a way that is never answered at a glance. */
  async function readWhole(path: string, fields: readonly string[]): Promise<Answer> {
    const other = await RawClient.connect(worker.port);
    try {
      return await ask(other, path, [...fields, 'Connection: close']);
    } finally {
      other.destroy();
    }
  }

  /** What is accepted, and the coding of the answer; `any` where it depends on what lies beside the file. */
  const codings: Readonly<Record<string, string | undefined>> = {
    gzip: 'gzip',
    br: 'any',
    'br;q=0.5, gzip': 'gzip',
    identity: undefined,
    'gzip;q=0': undefined,
    '': undefined,
  };

  for (const path of Object.keys(texts)) {
    test(`${path} comes in the form that each request accepts, also behind one that accepts none`, async () => {
      const text = texts[path];
      for (const coding of ['gzip', 'br']) {
        // Until the form is made and kept, each answer may be another one.
        let former: Buffer = Buffer.alloc(0);
        await waitFor(async () => {
          const { body } = await readWhole(path, [`Accept-Encoding: ${coding}`]);
          const isSame = former.equals(body);
          former = body;
          return isSame;
        }, `the form of ${path}`);
      }
      for (let round = 0; round < rounds; round++) {
        const plain = await ask(client, path, []);
        assert.equal(plain.coding, undefined);
        assert.equal(plain.body.toString(), text);
        for (const [accepted, wanted] of Object.entries(codings)) {
          const fields = [`Accept-Encoding: ${accepted}`];
          const answer = await ask(client, path, fields);
          assert.deepEqual(answer, await readWhole(path, fields), accepted);
          if (wanted !== 'any') assert.equal(answer.coding, wanted, accepted);
          assert.equal(decode(answer.body, answer.coding).toString(), text);
          assert.equal(answer.vary, 'Accept-Encoding');
          const conditional = [...fields, `If-None-Match: ${answer.etag}`];
          const unchanged = await ask(client, path, conditional);
          assert.equal(unchanged.status, 304);
          assert.deepEqual(unchanged, await readWhole(path, conditional), accepted);
        }
      }
    });
  }
});
