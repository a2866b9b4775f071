import { Agent, get } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

/** Whom the clients ask. */
export interface TlsTarget {
  readonly port: number;
  readonly servername: string;
  /** PEM of the authority that they trust. */
  readonly ca: Buffer;
}

/** Clients over TLS that each send one request after the other until they are stopped; some on one connection, some on a new one each time. */
export class TlsLoadClients {
  answered = 0;
  /** Full handshakes and resumed ones alike. */
  handshakes = 0;
  readonly failures: string[] = [];
  private readonly running: Promise<unknown>;
  private stopping = false;

  constructor(target: TlsTarget, counts: { readonly keptAlive: number; readonly fresh: number }) {
    const kept = Array.from({ length: counts.keptAlive }, () => this.run(target, true));
    const fresh = Array.from({ length: counts.fresh }, () => this.run(target, false));
    this.running = Promise.all([...kept, ...fresh]);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run({ port, servername, ca }: TlsTarget, keepAlive: boolean): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1, maxCachedSessions: 0 });
    while (!this.stopping) {
      await new Promise<void>((resolve) => {
        const options = { host: '127.0.0.1', port, servername, ca, agent, path: '/', timeout: 10_000 };
        const request = get({ ...options, headers: { host: servername } }, (response) => {
          if (response.statusCode === 200) this.answered++;
          else this.failures.push(`status ${response.statusCode}`);
          response.resume();
          response.on('close', resolve);
        });
        request.on('socket', (socket) => {
          if (!request.reusedSocket) socket.once('secureConnect', () => this.handshakes++);
        });
        request.on('timeout', () => request.destroy(new Error('no answer')));
        request.on('error', (error) => {
          this.failures.push(error.message);
          resolve();
        });
      });
      // The other processes of this machine are to have their turn too.
      await delay(1);
    }
    agent.destroy();
  }
}
