import { connect, type Socket } from 'node:net';
import { hasStatus } from '../health/status-set.ts';
import type { SocketAddress } from '../upstream/connection.ts';
import { FieldNameTable } from '../upstream/field-name-table.ts';
import { HandshakeError } from '../upstream/handshake-error.ts';
import type { HeadBlock } from '../upstream/head-block.ts';
import { ParserEvent, ResponseParser } from '../upstream/response-parser.ts';
import { SecureDial } from '../upstream/secure-dial.ts';
import type { ServerTls } from '../upstream/server-tls.ts';
import type { HealthCheck } from './health-check.ts';

/** How a check ended, as metrics name it. */
export type CheckResult =
  | 'passed'
  | 'unresolved'
  | 'refused'
  | 'tls'
  | 'timeout'
  | 'reset'
  | 'protocol'
  | 'status'
  | 'body';

export interface CheckOutcome {
  readonly result: CheckResult;
  /** In words; empty for one that passed. */
  readonly reason: string;
}

/** Bytes of an answer that are read at most, head and body together. */
export const maxAnswerBytes = 65_536;
const names = new FieldNameTable();

export interface ProbeOptions {
  readonly address: SocketAddress;
  /** Undefined: without TLS. */
  readonly tls?: ServerTls | undefined;
  /** Sent first. */
  readonly header?: Uint8Array | undefined;
  readonly check: HealthCheck;
  readonly timeoutMs: number;
  /** Where heads are put together; one for all. */
  readonly block: HeadBlock;
}

/** What a probe tells, each of both exactly once and never from within the constructor. */
export interface ProbeEvents {
  finished(outcome: CheckOutcome): void;
  /** The socket is gone: after `finished`, when the rest of the answer was read or was too much. */
  closed(): void;
}

/**
 * One check of one address over a connection of its own. Ends within its timeout and reads a bounded amount, whatever the
 * other side does. Of an answer that has passed the rest is read and dropped, so that the server does not meet a reset
 * while it still writes.
 */
export class HealthProbe {
  private readonly options: ProbeOptions;
  private readonly events: ProbeEvents;
  private socket: Socket | undefined;
  private dial: SecureDial | undefined;
  private readonly parser: ResponseParser;
  private readonly timer: NodeJS.Timeout;
  private readonly body: Buffer[] = [];
  private connected = false;
  private finished = false;
  private received = 0;

  constructor(options: ProbeOptions, events: ProbeEvents) {
    this.options = options;
    this.events = events;
    this.parser = new ResponseParser(options.block);
    this.parser.start(options.check.toHead, names, maxAnswerBytes);
    this.timer = setTimeout(() => this.expired(), options.timeoutMs);
    if (options.tls === undefined) this.connect(options);
    else this.connectSecurely(options, options.tls);
  }

  /** Ends it without an outcome that counts: the server is not checked any more. */
  abort(): void {
    this.finished = true;
    this.close();
  }

  private connect({ address, header }: ProbeOptions): void {
    const socket = connect({ ...address, noDelay: true });
    if (header !== undefined) socket.write(header);
    socket.on('connect', () => this.opened());
    this.listenTo(socket);
  }

  private connectSecurely({ address, header }: ProbeOptions, tls: ServerTls): void {
    this.dial = new SecureDial(address, tls, header, {
      secured: (socket) => {
        this.dial = undefined;
        this.listenTo(socket);
        this.opened();
      },
      failed: (error) => {
        this.dial = undefined;
        this.finish(error instanceof HandshakeError ? 'tls' : 'refused', error.message);
        this.over();
      },
    });
  }

  private listenTo(socket: Socket): void {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('end', () => this.ended());
    socket.on('error', (error) => this.finish(this.connected ? 'reset' : 'refused', error.message));
    socket.on('close', () => {
      this.finish('reset', 'the connection was closed');
      this.over();
    });
  }

  private close(): void {
    this.socket?.destroy();
    if (this.dial === undefined) return;
    this.dial.destroy();
    this.dial = undefined;
    // As the end of a socket would be told: never from within a call.
    setImmediate(() => this.over());
  }

  private over(): void {
    clearTimeout(this.timer);
    this.events.closed();
  }

  private opened(): void {
    this.connected = true;
    const { request } = this.options.check;
    if (request === undefined) this.finish('passed', '');
    else this.socket?.write(request, 'latin1');
  }

  private read(chunk: Buffer): void {
    this.received += chunk.length;
    // A copy of its own size: the parser writes into what it is given, and bodies are kept.
    this.parser.feed(Buffer.from(chunk), 0, chunk.length);
    this.parse();
    if (this.received < maxAnswerBytes) return;
    // It goes on and on: what came has to do.
    this.judgeBody();
    this.close();
  }

  private parse(): void {
    const { parser } = this;
    for (;;) {
      switch (parser.next()) {
        case ParserEvent.head:
          this.judgeStatus();
          break;
        case ParserEvent.data:
          if (!this.finished) this.body.push(parser.bytes.subarray(parser.dataStart, parser.dataEnd));
          break;
        case ParserEvent.end:
          this.judgeBody();
          this.close();
          return;
        case ParserEvent.failed:
          this.finish('protocol', `no HTTP: ${parser.fault}`);
          this.close();
          return;
        default:
          return;
      }
      if (this.socket?.destroyed === true) return;
    }
  }

  private judgeStatus(): void {
    const { status } = this.parser;
    const { check } = this.options;
    if (!hasStatus(check.status, status)) this.finish('status', `status ${status}`);
    else if (check.matchesBody === undefined) this.finish('passed', '');
  }

  private judgeBody(): void {
    if (this.finished) return;
    const { matchesBody } = this.options.check;
    if (matchesBody === undefined) return this.finish('protocol', 'no HTTP: the head does not end');
    if (matchesBody(Buffer.concat(this.body))) this.finish('passed', '');
    else this.finish('body', 'the body does not hold what it should');
  }

  private ended(): void {
    if (this.finished || !this.connected) return;
    const event = this.parser.finish();
    if (event === ParserEvent.end) return this.judgeBody();
    if (event === ParserEvent.failed) return this.finish('protocol', `no HTTP: ${this.parser.fault}`);
    const where = this.parser.begun ? 'within the answer' : 'without an answer';
    this.finish('reset', `the server closed the connection ${where}`);
  }

  private expired(): void {
    const missing = this.dial?.expire() ?? 'connection';
    const what = this.connected ? 'whole answer' : missing;
    this.finish('timeout', `no ${what} within ${this.options.timeoutMs} ms`);
    this.close();
  }

  private finish(result: CheckResult, reason: string): void {
    if (this.finished) return;
    this.finished = true;
    this.body.length = 0;
    // A refused check reads no further, nor does one that sent nothing.
    if (result !== 'passed' || this.options.check.request === undefined) this.close();
    this.events.finished({ result, reason });
  }
}
