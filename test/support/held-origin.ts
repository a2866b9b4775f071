import type { TestContext } from 'node:test';
import { ScriptedOrigin } from './scripted-origin.ts';
import { waitFor } from './wait-for.ts';

/** An application server that answers when the test says so. Closed with the test. */
export class HeldOrigin {
  readonly origin: ScriptedOrigin;
  private readonly waiting: (() => void)[];

  private constructor(origin: ScriptedOrigin, waiting: (() => void)[]) {
    this.origin = origin;
    this.waiting = waiting;
  }

  static async start(t: TestContext): Promise<HeldOrigin> {
    const waiting: (() => void)[] = [];
    const origin = await ScriptedOrigin.start((socket) => {
      waiting.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate'));
    });
    t.after(() => origin.close());
    return new HeldOrigin(origin, waiting);
  }

  /** A site that passes every path below / on to it. */
  get site(): string {
    return `accessLog: false
upstreams: { app: { servers: ["http://127.0.0.1:${this.origin.port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`;
  }

  /** Waits until so many requests have arrived in all. */
  async received(count: number): Promise<void> {
    await waitFor(() => this.waiting.length >= count, `${count} requests at the origin`);
  }

  /** Answers everything that arrived so far with `late`. */
  answerAll(): void {
    for (const answer of this.waiting.splice(0)) answer();
  }
}
