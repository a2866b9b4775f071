import { request } from 'node:http';
import { json } from 'node:stream/consumers';

export interface ControlResult {
  readonly status: number;
  readonly value: unknown;
}

/** A POST to the admin listener, as an operator's program sends it. */
export function controlRequest(
  adminPort: number,
  path: string,
  body: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<ControlResult> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port: adminPort,
      path,
      method: 'POST',
      agent: false,
      timeout: 10_000,
      headers: { 'Content-Type': 'application/json', ...headers },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      json(response).then((value) => resolve({ status: response.statusCode ?? 0, value }), reject);
    });
    outgoing.end(JSON.stringify(body));
  });
}
