import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Content } from './content.ts';
import { Random } from './random.ts';
import { drawRequest, type SoakRequest } from './requests.ts';

/** A request that did not get what it should. */
export interface Failure {
  /** Milliseconds since the beginning of the load. */
  readonly atMs: number;
  readonly startedMs: number;
  readonly kind: string;
  readonly reason: string;
  /** The connection was reset while it was opened: nothing was sent, every client tries again, and so does this one. */
  readonly connecting: boolean;
}

const answerTimeoutMs = 60_000;
const thinkMs = 15;
const maxFailures = 1000;

/** Clients that ask for one thing after the other and compare every byte that comes. */
export class Load {
  answered = 0;
  bytes = 0;
  wrongBodies = 0;
  readonly answeredByKind = new Map<string, number>();
  readonly failures: Failure[] = [];
  /** All of them, also those not kept. */
  failed = 0;
  /** Milliseconds, of a sample of the requests. */
  readonly durations: number[] = [];
  private readonly port: number;
  private readonly content: Content;
  private readonly begin = performance.now();
  private stopping = false;
  private readonly running: Promise<unknown>;

  /** @param clients keep their connection; half as many open one for each request */
  constructor(port: number, content: Content, clients: number, seed: number) {
    this.port = port;
    this.content = content;
    const all = Array.from({ length: clients + Math.ceil(clients / 2) }, (_, index) =>
      this.client(new Random(seed * 1000 + index), index < clients),
    );
    this.running = Promise.all(all);
  }

  /** Milliseconds since the beginning. */
  get nowMs(): number {
    return performance.now() - this.begin;
  }

  /** Resolves when the last answer has come. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async client(random: Random, keepAlive: boolean): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    while (!this.stopping) {
      const wanted = drawRequest(random, this.content);
      // Reset while connecting: again, as every client does.
      while (!(await this.ask(wanted, agent)));
      await delay(random.below(thinkMs * 2));
    }
    agent.destroy();
  }

  /** @returns false when it is to be tried again */
  private async ask(wanted: SoakRequest, agent: Agent): Promise<boolean> {
    const startedMs = this.nowMs;
    let connecting = true;
    try {
      const body = await this.exchange(wanted, agent, () => (connecting = false));
      if (!body.equals(wanted.method === 'HEAD' ? Buffer.alloc(0) : wanted.expected)) {
        this.wrongBodies += 1;
        this.fail(wanted, startedMs, `wrong body of ${body.length} bytes for ${wanted.path}`, false);
        return true;
      }
      this.answered += 1;
      this.bytes += body.length;
      this.answeredByKind.set(wanted.kind, (this.answeredByKind.get(wanted.kind) ?? 0) + 1);
      if (this.answered % 10 === 0) this.durations.push(this.nowMs - startedMs);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reset = connecting && code === 'ECONNRESET';
      this.fail(wanted, startedMs, error instanceof Error ? error.message : String(error), reset);
      return !reset;
    }
  }

  private fail({ kind }: SoakRequest, startedMs: number, reason: string, connecting: boolean): void {
    this.failed += 1;
    if (this.failures.length < maxFailures)
      this.failures.push({ atMs: this.nowMs, startedMs, kind, reason, connecting });
  }

  private exchange({ path, method }: SoakRequest, agent: Agent, connected: () => void): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: this.port, path, method, agent, timeout: answerTimeoutMs });
      outgoing.on('socket', (socket) => {
        if (socket.connecting) socket.once('connect', connected);
        else connected();
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`nothing came for ${answerTimeoutMs / 1000} s`)));
      outgoing.on('error', reject);
      outgoing.on('response', (response) => collect(response, resolve, reject));
      outgoing.end();
    });
  }
}

function collect(response: IncomingMessage, resolve: (body: Buffer) => void, reject: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('error', reject);
  response.on('end', () => {
    const body = Buffer.concat(chunks);
    if (response.statusCode === 200) return resolve(body);
    const said = body.toString('utf8', 0, 300).replaceAll(/\s+/g, ' ');
    reject(new Error(`status ${response.statusCode}: ${said}`));
  });
}
