import { get } from 'node:http';
import type { ChildServer } from './child-server.ts';
import { type Load, runLoad } from './load-generator.ts';
import { cpuMicroseconds } from './process-tree.ts';
import type { Work } from './work.ts';

/** One measurement of one server at one kind of work. */
export interface Measurement {
  /** CPU of the server and all its processes, divided by the units of work completed; a unit is a request, or a page view. */
  readonly microsecondsPerUnit: number;
  readonly requestsPerSecond: number;
  readonly failures: number;
}

/** Bytes of body that every answer has at least: an empty page is no answer. */
const smallestAnswer = 128;

/** A server that answers nothing for so long does not answer. */
export const longEnoughSeconds = 10;

/** @throws Error when the server does not answer as the work demands, so that nothing wrong is ever measured */
export async function measure(
  server: ChildServer,
  work: Work,
  times: { readonly seconds: number; readonly warmUpSeconds: number },
  folder: string,
): Promise<Measurement> {
  const origin = `http://127.0.0.1:${server.port}`;
  const etag = await checkAnswer(origin, work);
  if (times.warmUpSeconds > 0) await runLoad(origin, work, times.warmUpSeconds, folder, etag);
  const { load, used } = await loadedFor(times.seconds * work.lengthFactor);
  if (load.requests === 0) throw new Error(`${work.title}: no request was answered`);
  return {
    microsecondsPerUnit: (used / load.requests) * work.requestsPerUnit,
    requestsPerSecond: load.requestsPerSecond,
    failures: load.failures,
  };

  async function loadedFor(seconds: number): Promise<{ load: Load; used: number }> {
    const before = cpuMicroseconds(server.pid);
    const load = await runLoad(origin, work, seconds, folder, etag);
    const used = cpuMicroseconds(server.pid) - before;
    // On a machine that others keep busy a fraction of a second may be too short for the first answer.
    if (load.requests === 0 && seconds < longEnoughSeconds) return loadedFor(seconds * 4);
    return { load, used };
  }
}

/** @returns the ETag to send, empty when the work sends none */
async function checkAnswer(origin: string, work: Work): Promise<string> {
  if (work.method !== 'GET') return '';
  const { status, etag, bytes } = await ask(origin, work.path);
  if (status !== 200) throw new Error(`${work.title}: expected 200, found ${status}`);
  if (bytes < smallestAnswer) throw new Error(`${work.title}: the answer has ${bytes} bytes`);
  if (!work.conditional) return '';
  const again = await ask(origin, work.path, { 'If-None-Match': etag });
  if (etag === '' || again.status !== 304) throw new Error(`${work.title}: expected 304, found ${again.status}`);
  return etag;
}

function ask(
  origin: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; etag: string; bytes: number }> {
  return new Promise((resolve, reject) => {
    const request = get(`${origin}${path}`, {
      headers: { Host: 'localhost', ...headers },
      agent: false,
      timeout: 10_000,
    });
    request.on('timeout', () => request.destroy(new Error(`${path}: no answer`)));
    request.on('error', reject);
    request.on('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, etag: response.headers.etag ?? '', bytes }));
    });
  });
}
