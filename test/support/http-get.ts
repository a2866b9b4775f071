import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Local port of the connection: the same for answers that came over the same one. */
  readonly localPort: number;
}

/** One GET over a connection of its own, or over the agent's. Rejects when the connection breaks or nothing comes for ten seconds. */
export function httpGet(port: number, path: string, agent?: Agent): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent: agent ?? false, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = [];
      const localPort = outgoing.socket?.localPort ?? 0;
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the response was cut'));
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks).toString(), localPort });
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
