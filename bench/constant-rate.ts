import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { browserHeaders } from './browser-headers.ts';
import { percentile } from './statistics.ts';

/** Load at a rate that does not depend on how fast the server answers. */
export interface ConstantLoad {
  readonly port: number;
  readonly path: string;
  /** Requests a second, evenly spaced. */
  readonly rate: number;
  readonly connections: number;
  readonly seconds: number;
  /** Load before that, which is not counted. */
  readonly warmUpSeconds: number;
}

/** Response times from the moment at which each request was due, milliseconds. */
export interface Tail {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late requests were sent, 99th percentile: because the generator was busy, or no connection was free. */
  readonly sendLagP99Ms: number;
  /** Requests that were due but not answered in time, and wrong answers. */
  readonly failures: number;
}

/** Time after the last request was due in which answers still count. */
const graceMs = 2000;

/**
 * Sends requests at a constant rate. A request that cannot go out when it is due, because every connection waits for an answer, goes
 * out later, and its time counts from when it was due: a server that stalls is charged with all the requests that it kept from
 * being sent (the correction for coordinated omission). Spins instead of sleeping, because timers are a millisecond coarse.
 */
export async function runConstantRate(load: ConstantLoad): Promise<Tail> {
  const run = new ConstantRateRun(load);
  return run.result();
}

interface Client {
  readonly socket: Socket;
  /** Which request it waits for. */
  request: number;
  /** Bytes of the answer that are still to come. */
  missing: number;
}

class ConstantRateRun {
  private readonly load: ConstantLoad;
  private readonly request: Buffer;
  private readonly total: number;
  private readonly skipped: number;
  private readonly times: Float64Array;
  private readonly lags: Float64Array;
  private readonly idle: Client[] = [];
  private answerBytes = 0;
  private startedAt = 0;
  private sent = 0;
  private answered = 0;
  private failures = 0;

  constructor(load: ConstantLoad) {
    this.load = load;
    const fields = Object.entries(browserHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
    this.request = Buffer.from(`GET ${load.path} HTTP/1.1\r\nHost: localhost\r\n${fields.join('')}\r\n`);
    this.skipped = Math.floor(load.rate * load.warmUpSeconds);
    this.total = this.skipped + Math.floor(load.rate * load.seconds);
    this.times = new Float64Array(this.total);
    this.lags = new Float64Array(this.total);
  }

  async result(): Promise<Tail> {
    this.answerBytes = await this.measureAnswer();
    const clients = await Promise.all(Array.from({ length: this.load.connections }, () => this.openClient()));
    this.idle.push(...clients);
    this.startedAt = performance.now();
    await new Promise<void>((resolve) => this.spin(resolve));
    for (const { socket } of clients) socket.destroy();
    const times = this.times
      .subarray(this.skipped)
      .filter((time) => time > 0)
      .toSorted();
    const lags = this.lags.subarray(this.skipped).toSorted();
    return {
      rate: this.load.rate,
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
      p999Ms: percentile(times, 0.999),
      maxMs: percentile(times, 1),
      sendLagP99Ms: percentile(lags, 0.99),
      failures: this.failures + (this.total - this.answered),
    };
  }

  /** Sends what is due, lets the event loop do its input and output, and so on. */
  private spin(done: () => void): void {
    const elapsed = performance.now() - this.startedAt;
    const due = Math.min(this.total, Math.floor((elapsed * this.load.rate) / 1000) + 1);
    while (this.sent < due) {
      const client = this.idle.shift();
      if (!client) break;
      this.lags[this.sent] = elapsed - this.dueAt(this.sent);
      client.request = this.sent++;
      client.missing = this.answerBytes;
      client.socket.write(this.request);
    }
    const isOver = elapsed > this.dueAt(this.total) + graceMs;
    if (this.answered === this.total || isOver) done();
    else setImmediate(() => this.spin(done));
  }

  private dueAt(request: number): number {
    return (request * 1000) / this.load.rate;
  }

  /** All answers have the same length, so that counting bytes is enough to know their ends. */
  private take(client: Client, bytes: number, buffer: Uint8Array): void {
    // "HTTP/1.1 2": the digit tells success.
    if (client.missing === this.answerBytes && buffer[9] !== 0x32) this.failures++;
    client.missing -= bytes;
    if (client.missing > 0) return;
    if (client.missing < 0) this.failures++;
    this.times[client.request] = performance.now() - this.startedAt - this.dueAt(client.request);
    this.answered++;
    this.idle.push(client);
  }

  private openClient(): Promise<Client> {
    return new Promise((resolve, reject) => {
      const buffer = Buffer.allocUnsafe(65_536);
      const callback = (bytes: number): boolean => {
        this.take(client, bytes, buffer);
        return true;
      };
      const options = { host: '127.0.0.1', port: this.load.port, noDelay: true, onread: { buffer, callback } };
      const socket = connect(options, () => resolve(client));
      const client: Client = { socket, request: -1, missing: 0 };
      socket.once('error', reject);
    });
  }

  /** Bytes of one whole answer: its head and what the head announces. */
  private measureAnswer(): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: this.load.port }, () => socket.write(this.request));
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        const headEnd = text.indexOf('\r\n\r\n');
        const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text.slice(0, headEnd + 2))?.[1];
        if (headEnd < 0 || (length !== undefined && text.length < headEnd + 4 + Number(length))) return;
        socket.destroy();
        if (length === undefined) reject(new Error('the answer announces no length'));
        else resolve(headEnd + 4 + Number(length));
      });
      socket.once('error', reject);
      socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    });
  }
}
