import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { startInProcessWorker } from '../../support/in-process-worker.ts';
import { RawClient } from '../../support/raw-client.ts';
import { waitFor } from '../../support/wait-for.ts';

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(32 * 1024);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-lines-'));
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files/a.txt'), 'file');
  // Old enough to be trusted.
  utimesSync(join(folder, 'files/a.txt'), 1_700_000_000, 1_700_000_000);
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const fields: Readonly<Record<string, readonly string[]>> = {
  'a browser': ['User-Agent: Mozilla/5.0', 'Referer: http://h/x?y'],
  'bytes to be escaped': ['User-Agent: "\\\xc3\xa9 \xff-', 'Referer: \xe9"-'],
  'a user': [`Authorization: Basic ${Buffer.from('anna:secret').toString('base64')}`],
  'two fields of a name': ['User-Agent: one', 'User-Agent: two'],
  'nothing but the host': [],
};

/** The same request several times: first read whole, as its file is not in memory, then answered at a glance. */
async function linesOf(format: 'combined' | 'json', lines: readonly string[]): Promise<string[]> {
  const path = join(folder, 'access.log');
  const worker = await startInProcessWorker(
    `
accessLog: { path: "${path}", format: ${format}, flushInterval: 10ms }
fileCache: { revalidate: 1h }
sites: [{ routes: [{ path: /, static: { root: "${join(folder, 'files')}" } }] }]
`,
    folder,
  );
  try {
    const client = await RawClient.connect(worker.port);
    for (let round = 0; round < 4; round++) {
      client.send(
        Buffer.from(
          `GET /a.txt?q="%20 HTTP/1.1\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
          'latin1',
        ),
      );
      assert.equal((await client.response()).status, 200);
    }
    client.destroy();
    const written = (): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);
    await waitFor(() => written().length === 4, 'the lines');
    return written();
  } finally {
    await worker.close();
  }
}

for (const [about, lines] of Object.entries(fields)) {
  test(`a line says the same whether the request was read whole or answered at a glance: ${about}`, async () => {
    const combined = await linesOf('combined', lines);
    assert.equal(new Set(combined.map((line) => line.replace(/\[[^\]]*\]/, '[time]'))).size, 1, combined.join('\n'));
    rmSync(join(folder, 'access.log'));
    const json = (await linesOf('json', lines)).map((line) => {
      const {
        time: _time,
        duration_ms: _duration,
        request_id: id,
        ...rest
      } = JSON.parse(line) as Record<string, unknown>;
      assert.match(String(id), /^[0-9a-f]{32}$/);
      return JSON.stringify(rest);
    });
    assert.equal(new Set(json).size, 1, json.join('\n'));
  });
}
