import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ensureDebianPackage } from './debian-package.ts';
import { waitFor } from './wait-for.ts';

const program = '/usr/bin/redis-server';

/** @returns undefined when the real Redis server is there; otherwise the reason to skip the test */
export function ensureRedis(): string | undefined {
  return ensureDebianPackage('redis-server', program);
}

/** A real Redis server that keeps everything in memory, so that its death forgets all. */
export class RedisServer {
  readonly port: number;
  private child: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.child = spawn(program, options, { stdio: 'ignore' });
    await waitFor(() => answers(this.port), 'Redis');
  }

  /** Stops and goes on: a machine that hangs. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.on('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString().startsWith('+PONG'));
    });
    socket.on('error', () => resolve(false));
  });
}
