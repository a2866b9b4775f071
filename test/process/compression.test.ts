import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodedGet } from '../support/decoded-get.ts';
import { pageText } from '../support/page-text.ts';
import { RunningPortico } from '../support/running-portico.ts';
import { waitFor } from '../support/wait-for.ts';

test('the program compresses a file once, in a thread of its own, and logs the coding', async (t) => {
  const portico = await RunningPortico.start(
    t,
    'accessLog: { format: json, path: access.log, flushInterval: 10ms }\n' +
      'sites: [{ routes: [{ path: /, static: { root: . }, compress: true }] }]\n',
    { workers: 1 },
  );
  const page = pageText(100_000);
  await writeFile(join(portico.folder, 'page.html'), page);
  const get = () => decodedGet(portico.port, { path: '/page.html', headers: { 'accept-encoding': 'br' } });
  await waitFor(async () => {
    const { headers, body } = await get();
    assert.equal(body.toString(), page);
    return headers['content-encoding'] === 'br' && headers['content-length'] !== undefined;
  }, 'the form of the file');
  const { raw } = await get();
  const line = `"bytes":${raw.length},`;
  await waitFor(async () => {
    const log = await readFile(join(portico.folder, 'access.log'), 'utf8');
    return log.split('\n').some((entry) => entry.includes(line) && entry.includes('"coding":"br"'));
  }, 'the line in the access log');
});
