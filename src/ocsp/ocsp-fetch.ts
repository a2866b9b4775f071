import { type IncomingMessage, request } from 'node:http';
import { OcspError } from './ocsp-error.ts';
import { ocspRequest } from './ocsp-request.ts';
import type { OcspSubject } from './ocsp-subject.ts';

const timeoutMs = 10_000;
/** Each client gets it in its handshake: what is larger is no response for that. */
const largestResponse = 16 * 1024;

/**
 * Asks a responder (RFC 6960 appendix A.1). Redirects are not followed: the certificate alone says who is asked.
 * @param signal ends it
 * @param limitMs longest time for all of it
 * @returns what came, unchecked
 * @throws OcspError `unreachable`
 */
export function fetchOcsp(subject: OcspSubject, signal: AbortSignal, limitMs: number = timeoutMs): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(unreachable(subject.responder, cause, limitMs));
    const body = ocspRequest(subject);
    const headers = {
      'content-type': 'application/ocsp-request',
      accept: 'application/ocsp-response',
      'content-length': body.length,
      'user-agent': 'portico-ocsp',
    };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    const sent = request(subject.responder, { method: 'POST', headers, agent: false, signal: limited });
    sent.on('error', fail);
    sent.on('response', (response) => void read(response).then(resolve, fail));
    sent.end(body);
  });
}

async function read(response: IncomingMessage): Promise<Buffer> {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`it answered with status ${response.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestResponse) throw new Error(`its answer is larger than ${largestResponse} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unreachable(url: string, cause: Error, limitMs: number): OcspError {
  const late = cause.name === 'TimeoutError' || cause.name === 'AbortError';
  // Node names several failed addresses in an error without a message of its own.
  const { code } = cause as NodeJS.ErrnoException;
  const reason = late
    ? `no answer within ${limitMs / 1000} s`
    : cause.message === ''
      ? (code ?? 'no reason')
      : cause.message;
  return new OcspError('unreachable', `no response from ${url}: ${reason}`, { cause });
}
