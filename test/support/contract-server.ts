import type { Engine, EngineFactory, EngineTimeouts } from '../../src/listener/engine.ts';
import type { BodySink, CutReason, Exchange } from '../../src/listener/exchange.ts';
import type { PorticoError } from '../../src/response/portico-error.ts';
import { responseHead } from '../../src/response/response-head.ts';

/** An engine that listens, with a handler of the test's, and everything that it told its handler. */
export interface ContractServer {
  readonly engine: Engine;
  readonly port: number;
  /** What was called, in order: `handle GET /a`, `refuse request_malformed`, `finished 200`. */
  readonly events: string[];
  readonly exchanges: Exchange[];
  /** Exchanges finished, however often. */
  readonly finished: Exchange[];
  /** Why clients were cut. */
  readonly cuts: readonly CutReason[];
  close(): void;
}

export const plain = responseHead(200, [['content-type', 'text/plain']]);

/** @param handle what the engine gives requests to; refusals are answered with the error's status and code */
export async function contractServer(
  factory: EngineFactory,
  handle: (exchange: Exchange) => void,
  options: Partial<EngineTimeouts> & { host?: string | undefined } = {},
): Promise<ContractServer> {
  const { host: _host, ...timeouts } = options;
  const cuts: CutReason[] = [];
  const events: string[] = [];
  const exchanges: Exchange[] = [];
  const finished: Exchange[] = [];
  const engine = factory(
    {
      handle(exchange) {
        events.push(`handle ${exchange.head.method} ${exchange.head.target}`);
        exchanges.push(exchange);
        handle(exchange);
      },
      refuse(exchange, error) {
        events.push(`refuse ${error.code}`);
        refuseWith(exchange, error);
      },
      finished(exchange) {
        events.push(`finished ${exchange.status}`);
        finished.push(exchange);
      },
      connections: {
        wantsAddress: false,
        admit: () => true,
        cut: (reason) => cuts.push(reason),
        ended: () => undefined,
      },
    },
    {
      requestBodyMs: 60_000,
      sendMs: 60_000,
      minBodyRate: 0,
      minBodyRateGraceMs: 0,
      ...timeouts,
    },
  );
  const host = 'host' in options ? options.host : '127.0.0.1';
  const port = await engine.listen({ address: 'contract', host, port: 0 });
  return { engine, port, events, exchanges, finished, cuts, close: () => engine.close() };
}

/** Answers as error responses are: with the error's status, and its code for a body. */
export function refuseWith(exchange: Exchange, error: PorticoError): void {
  exchange.respond(responseHead(error.status, [['content-type', 'text/plain']]), Buffer.from(error.code));
}

/** Reads the whole body and calls back with it. */
export function readBody(exchange: Exchange, whole: (body: Buffer) => void): void {
  const pieces: Buffer[] = [];
  const sink: BodySink = {
    data: (chunk) => void pieces.push(chunk),
    end: () => whole(Buffer.concat(pieces)),
    failed: (error) => refuseWith(exchange, error),
  };
  exchange.body.read(sink);
}

/** A request without a body. */
export function get(path = '/', ...fields: string[]): string {
  return request('GET', path, fields);
}

/** @param fields lines such as `Content-Length: 5` */
export function request(method: string, path: string, fields: readonly string[] = [], body = ''): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: example.com', ...fields, '', body].join('\r\n');
}
