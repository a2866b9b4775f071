import { createHash } from 'node:crypto';
import type { StoredResponse } from '../../src/cache/stored-response.ts';

/** Numbers from a text, the same each time. */
function numbersOf(text: string): readonly [number, number, number] {
  const digest = createHash('sha256').update(text).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8)];
}

/** The body of a version of a key: nothing of it could be another's, in content or length. */
export function derivedBody(key: string, version: number): Buffer {
  const [kind, size] = numbersOf(`${key}#${version}`);
  const length = kind % 10 === 0 ? 100_000 + (size % 1_500_000) : size % 20_000;
  return Buffer.alloc(length, `${key}#${version}#${size}|`);
}

/** The head of a version of a key as it was received at that time: nothing of it could be another's. */
export function derivedHead(key: string, version: number, responseTime: number): Omit<StoredResponse, 'bodyLength'> {
  const [lifetime, date, length] = numbersOf(`${key}#${version}#${responseTime}`);
  return {
    key,
    variant: '',
    status: 200,
    block: Buffer.from(`200 OK\r\nX-Is: ${key}#${version}#${responseTime}\r\nX-Long: ${'x'.repeat(length % 200)}\r\n`),
    requestTime: responseTime - 1,
    responseTime,
    date,
    initialAge: version,
    lifetime,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    mustRevalidate: false,
    alwaysRevalidate: false,
    etag: `"${version}"`,
    lastModified: undefined,
    tags: [`v${version}`, key],
    decidedBy: 'Cache-Control: max-age',
  };
}

/** What is wrong with a response that was found under a key: undefined when it is whole, right and not mixed with another. */
export function faultOf(key: string, response: StoredResponse, body: Buffer): string | undefined {
  const version = Number(response.etag?.slice(1, -1));
  const { bodyLength, ...head } = response;
  const expected = derivedHead(key, version, response.responseTime);
  if (JSON.stringify(head) !== JSON.stringify(expected)) return `the head of ${key} is ${JSON.stringify(head)}`;
  if (bodyLength !== body.length) return `the body of ${key} has ${body.length} bytes instead of ${bodyLength}`;
  return body.equals(derivedBody(key, version)) ? undefined : `the body of ${key}#${version} is another`;
}
