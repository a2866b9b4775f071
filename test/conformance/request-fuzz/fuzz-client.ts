import { connect, type Socket } from 'node:net';
import type { FuzzedConnection } from './request-grammar.ts';

/** What a client has got on its connection. */
export interface Answers {
  /** Statuses of the whole responses, in order, without interim ones. */
  readonly statuses: readonly number[];
  /** Whether the server has ended the connection. */
  readonly closed: boolean;
}

/** How long to wait for what. */
export interface Patience {
  /** Methods of the requests that will be answered, in order. */
  readonly methods: readonly string[];
  /** Whether the server ends the connection. */
  readonly closes: boolean;
  /** After so many milliseconds without anything new the client goes, as long as something has to come. */
  readonly patientMs: number;
  /** The same when nothing has to come any more. */
  readonly quietMs: number;
}

/** Sends a fuzzed connection in its pieces, and reads until it has got what was to come, or nothing comes any more. */
export function converse(
  port: number,
  address: string,
  { text, cuts }: FuzzedConnection,
  patience: Patience,
): Promise<Answers> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: address, noDelay: true });
    const answers = new AnswerReader(patience.methods);
    let closed = false;
    let over = false;
    const finish = (): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ statuses: answers.statuses, closed });
    };
    let timer: NodeJS.Timeout | undefined;
    const check = (): void => {
      const answered = answers.statuses.length >= patience.methods.length;
      if (closed || (answered && patience.quietMs === 0 && !patience.closes)) return finish();
      clearTimeout(timer);
      timer = setTimeout(finish, answered && !patience.closes ? patience.quietMs : patience.patientMs);
    };
    const end = (): void => {
      closed = true;
      check();
    };
    socket.on('connect', () => {
      check();
      void send(socket, text, cuts);
    });
    socket.on('data', (chunk: Buffer) => {
      answers.read(chunk.toString('latin1'));
      check();
    });
    socket.on('error', () => undefined);
    socket.on('end', end);
    socket.on('close', end);
  });
}

async function send(socket: Socket, text: string, cuts: readonly number[]): Promise<void> {
  let from = 0;
  for (const cut of [...cuts, 1]) {
    const to = Math.round(cut * text.length);
    if (to <= from || socket.destroyed) continue;
    await new Promise<void>((resolve) => socket.write(Buffer.from(text.slice(from, to), 'latin1'), () => resolve()));
    from = to;
  }
}

/** Counts responses; those to HEAD have no body. */
class AnswerReader {
  readonly statuses: number[] = [];
  readonly #methods: readonly string[];
  #text = '';

  constructor(methods: readonly string[]) {
    this.#methods = methods;
  }

  read(text: string): void {
    this.#text += text;
    for (;;) {
      const headEnd = this.#text.indexOf('\r\n\r\n');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(this.#text)?.[1];
      if (headEnd < 0 || status === undefined) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(this.#text.slice(0, headEnd + 2))?.[1] ?? '0';
      const bodiless = status < '200' || this.#methods[this.statuses.length] === 'HEAD';
      const end = headEnd + 4 + (bodiless ? 0 : Number(length));
      if (this.#text.length < end) return;
      this.#text = this.#text.slice(end);
      if (status >= '200') this.statuses.push(Number(status));
    }
  }
}
