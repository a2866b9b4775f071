import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** What the service that decides has answered. */
export interface AuthorizerAnswer {
  readonly status: number;
  /** `[name, value, name, value, …]`, names as sent. */
  readonly rawFields: readonly string[];
  readonly body: Buffer;
}

/** Questions under way at a time; more are not asked. */
const maxUnderWay = 512;
const maxConnections = 64;
const idleTimeoutMs = 30_000;
/** A page with the words "please sign in" needs no more. */
const maxBodyBytes = 256 * 1024;
const maxHeadBytes = 32 * 1024;

/** Asks a service by HTTP, over connections that are kept. */
export class Authorizer {
  readonly #url: URL;
  readonly #timeoutMs: number;
  readonly #agent: HttpAgent | HttpsAgent;
  #underWay = 0;

  /** @param timeoutMs for the whole answer */
  constructor(url: string, timeoutMs: number) {
    this.#url = new URL(url);
    this.#timeoutMs = timeoutMs;
    const options = {
      keepAlive: true,
      maxSockets: maxConnections,
      timeout: idleTimeoutMs,
      scheduling: 'lifo',
    } as const;
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /**
   * @param fields name to value, Latin-1
   * @param done called once: with the answer, or why there is none
   * @returns stops asking; `done` is not called then
   */
  ask(fields: Readonly<Record<string, string>>, done: (answer: AuthorizerAnswer | Error) => void): () => void {
    if (this.#underWay >= maxUnderWay) {
      done(new Error(`${maxUnderWay} requests are asked about already`));
      return () => undefined;
    }
    this.#underWay++;
    let current: ClientRequest | undefined;
    let open = true;
    const finish = (answer: AuthorizerAnswer | Error | undefined): void => {
      if (!open) return;
      open = false;
      this.#underWay--;
      clearTimeout(timer);
      if (answer === undefined || answer instanceof Error) current?.destroy();
      if (answer !== undefined) done(answer);
    };
    const timer = setTimeout(() => finish(new Error(`no answer for ${this.#timeoutMs} ms`)), this.#timeoutMs);
    const send = (): void => {
      current = this.#send(fields, finish, () => open && send());
    };
    send();
    return () => finish(undefined);
  }

  #send(
    fields: Readonly<Record<string, string>>,
    finish: (answer: AuthorizerAnswer | Error) => void,
    again: () => void,
  ): ClientRequest {
    const options = { agent: this.#agent, headers: fields, method: 'GET', maxHeaderSize: maxHeadBytes };
    const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(this.#url, options, (response) => readAnswer(response, finish));
    request.on('error', (error) => {
      // The service has closed a kept connection just now: it has not seen the request.
      const stale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      if (stale) again();
      else finish(error);
    });
    request.end();
    return request;
  }
}

function readAnswer(response: IncomingMessage, finish: (answer: AuthorizerAnswer | Error) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxBodyBytes) finish(new Error(`an answer of more than ${maxBodyBytes} bytes`));
    else chunks.push(chunk);
  });
  response.on('error', finish);
  response.on('end', () => {
    const { statusCode = 0, rawHeaders, complete } = response;
    if (!complete) return finish(new Error('the answer was cut'));
    finish({ status: statusCode, rawFields: rawHeaders, body: Buffer.concat(chunks) });
  });
}
