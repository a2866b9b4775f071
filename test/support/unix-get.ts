import { request } from 'node:http';
import type { HttpAnswer } from './http-get.ts';

/** One GET over a Unix socket. Rejects when the connection breaks or nothing comes for ten seconds. */
export function unixGet(
  socketPath: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Omit<HttpAnswer, 'localPort'>> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, headers, agent: false, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the response was cut'));
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
