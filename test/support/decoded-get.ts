import { request } from 'node:http';
import zlib from 'node:zlib';

export interface DecodedAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As it came. */
  readonly raw: Buffer;
  /** As it was before it was compressed. */
  readonly body: Buffer;
}

export interface GetOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks a worker on this machine, decodes what comes, and rejects when the response was cut. */
export function decodedGet(port: number, options: GetOptions = {}): Promise<DecodedAnswer> {
  const { method = 'GET', path = '/', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false, timeout: 20_000 });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the response was cut'));
        const raw = Buffer.concat(chunks);
        const fields = response.headers as Record<string, string | undefined>;
        const status = response.statusCode ?? 0;
        resolve({
          status,
          headers: fields,
          raw,
          body: raw.length === 0 ? raw : decode(raw, fields['content-encoding']),
        });
      });
    });
    outgoing.end(body);
  });
}

/** Undoes a content coding; one that Portico does not make stays as it is. */
export function decode(bytes: Buffer, coding: string | undefined): Buffer {
  switch (coding) {
    case undefined:
      return bytes;
    case 'gzip':
      return zlib.gunzipSync(bytes);
    case 'br':
      return zlib.brotliDecompressSync(bytes);
    case 'zstd':
      return (zlib as unknown as { zstdDecompressSync(bytes: Buffer): Buffer }).zstdDecompressSync(bytes);
    default:
      return bytes;
  }
}
