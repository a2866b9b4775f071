import { httpGet } from './http-get.ts';

/** Clients that open a connection for each request, one after the other, until they are stopped. */
export class ConnectStorm {
  answered = 0;
  /** Why requests failed. */
  readonly failures: string[] = [];
  private stopping = false;
  private readonly running: Promise<unknown>;

  constructor(clients: number, port: number, path = '/') {
    this.running = Promise.all(Array.from({ length: clients }, () => this.client(port, path)));
  }

  /** Resolves when the last request has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async client(port: number, path: string): Promise<void> {
    while (!this.stopping) {
      try {
        const { status } = await httpGet(port, path);
        if (status === 200) this.answered += 1;
        else this.failures.push(`status ${status}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }
}
