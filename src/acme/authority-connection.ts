import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { AcmeError } from './acme-error.ts';
import { parseRetryAfter } from './retry-after.ts';

const timeoutMs = 30_000;
const largestAnswer = 1024 * 1024;
/** RFC 8555 section 6.1: a client says who it is. */
const userAgent = 'portico-acme';

/** What an authority said. */
export interface AuthorityAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly nonce: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly body: Buffer;
}

/** Requests to one authority over HTTPS. Each has a time limit and its answer a bound. */
export class AuthorityConnection {
  readonly #agent: Agent;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param authorityFile PEM file that its server's certificate is checked against; what Node.js trusts when left out
   * @param signal        ends what is under way
   * @throws AcmeError when the file cannot be read
   */
  constructor(authorityFile?: string, signal?: AbortSignal) {
    this.#agent = new Agent({ keepAlive: true, ...(authorityFile === undefined ? {} : { ca: read(authorityFile) }) });
    this.#signal = signal;
  }

  get(url: string): Promise<AuthorityAnswer> {
    return this.#request('GET', url);
  }

  head(url: string): Promise<AuthorityAnswer> {
    return this.#request('HEAD', url);
  }

  post(url: string, body: object): Promise<AuthorityAnswer> {
    return this.#request('POST', url, JSON.stringify(body));
  }

  close(): void {
    this.#agent.destroy();
  }

  #request(method: string, url: string, body?: string): Promise<AuthorityAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => reject(unreachable(url, cause, this.#signal));
      if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
        return fail(new Error('it is no https:// URL'));
      }
      const timeout = AbortSignal.timeout(timeoutMs);
      const signal = this.#signal === undefined ? timeout : AbortSignal.any([timeout, this.#signal]);
      const headers = {
        'user-agent': userAgent,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
      };
      const sent = request(url, { method, agent: this.#agent, headers, signal });
      sent.on('error', fail);
      sent.on('response', (response) => void readAnswer(response).then(resolve, fail));
      sent.end(body);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<AuthorityAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestAnswer) throw new Error(`its answer is larger than ${largestAnswer} bytes`);
    chunks.push(chunk);
  }
  const { location, 'replay-nonce': nonce, 'retry-after': retryAfter } = response.headers;
  return {
    status: response.statusCode ?? 0,
    location,
    nonce: typeof nonce === 'string' ? nonce : undefined,
    retryAfterMs: parseRetryAfter(retryAfter, Date.now()),
    body: Buffer.concat(chunks),
  };
}

function unreachable(url: string, cause: Error, stopping: AbortSignal | undefined): AcmeError {
  if (stopping?.aborted === true) return new AcmeError('stopped', 'stopped meanwhile', { cause });
  // Node names several failed addresses in an error without a message of its own.
  const { code } = cause as NodeJS.ErrnoException;
  const reason =
    cause.name === 'TimeoutError' ? 'no answer in time' : cause.message === '' ? (code ?? 'no reason') : cause.message;
  const timedOut = cause.name === 'AbortError' ? `no answer within ${timeoutMs / 1000} s` : reason;
  return new AcmeError('unreachable', `the authority cannot be reached at ${url}: ${timedOut}`, { cause });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AcmeError('storage', `the certificates in ${file} cannot be read (${code ?? 'no reason'})`, { cause });
  }
}
