import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../fixtures/slow-clients/slow_clients.py', import.meta.url));

/** How many slow clients there are, and how slow they are: bytes, and bytes a second. */
export interface SlowLoad {
  readonly uploads: number;
  readonly uploadBytes: number;
  readonly uploadRate: number;
  readonly downloads: number;
  readonly downloadBytes: number;
  readonly downloadRate: number;
}

/** Clients in a process of their own, because only there sockets can be given small buffers. */
export class SlowClients {
  private readonly child: ChildProcess;
  private output = '';

  constructor(port: number, load: SlowLoad) {
    const { uploads, uploadBytes, uploadRate, downloads, downloadBytes, downloadRate } = load;
    const numbers = [port, uploads, uploadBytes, uploadRate, downloads, downloadBytes, downloadRate];
    this.child = spawn('/usr/bin/python3', [program, ...numbers.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** How many got the right answer, once all are done. */
  async result(): Promise<{ readonly uploads: number; readonly downloads: number }> {
    if (this.running) await once(this.child, 'close');
    const result: { uploads: number; downloads: number } = JSON.parse(this.output);
    return result;
  }

  stop(): void {
    if (this.running) this.child.kill('SIGKILL');
  }
}
