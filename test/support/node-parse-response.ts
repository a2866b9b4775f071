import { request } from 'node:http';
import { Duplex } from 'node:stream';

export interface NodeParsedResponse {
  readonly outcome: 'complete' | 'failed' | 'incomplete';
  readonly status: number;
  readonly body: Buffer;
  /** `[name, value, …]` as sent. */
  readonly fields: readonly string[];
}

/** What Node's own HTTP client makes of the bytes of a response, after which the connection ends. */
export function nodeParseResponse(bytes: Buffer, toHead = false): Promise<NodeParsedResponse> {
  return new Promise((resolve) => {
    let status = 0;
    let fields: readonly string[] = [];
    const body: Buffer[] = [];
    const settle = (outcome: NodeParsedResponse['outcome']) => {
      connection.destroy();
      resolve({ outcome, status, body: Buffer.concat(body), fields });
    };
    const connection = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        done();
      },
    });
    const asked = request({ method: toHead ? 'HEAD' : 'GET', createConnection: () => connection });
    asked.on('error', (error: NodeJS.ErrnoException) =>
      settle(error.code?.startsWith('HPE_') ? 'failed' : 'incomplete'),
    );
    asked.on('upgrade', () => settle('failed'));
    asked.on('response', (response) => {
      status = response.statusCode ?? 0;
      fields = response.rawHeaders;
      response.on('data', (chunk: Buffer) => body.push(chunk));
      response.on('end', () => settle('complete'));
      response.on('error', (error: NodeJS.ErrnoException) =>
        settle(error.code?.startsWith('HPE_') ? 'failed' : 'incomplete'),
      );
    });
    asked.end();
    setImmediate(() => {
      connection.push(bytes);
      connection.push(null);
    });
  });
}
