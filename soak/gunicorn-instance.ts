import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { childrenOf, killAll } from '../test/support/process-tree.ts';
import { waitFor } from '../test/support/wait-for.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
/** Debian's interpreter: another python3 in PATH would not have Gunicorn. */
const python = '/usr/bin/python3';
const program = '/usr/bin/gunicorn';
const stopTimeoutMs = 15_000;

/** One Gunicorn with sync workers, that is killed and restarted. */
export class GunicornInstance {
  readonly name: string;
  readonly port: number;
  private readonly blockFile: string;
  private child: ChildProcess | undefined;
  private log = '';

  constructor(name: string, port: number, blockFile: string) {
    this.name = name;
    this.port = port;
    this.blockFile = blockFile;
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const bind = `127.0.0.1:${this.port}`;
    const child = spawn(
      python,
      [program, '--bind', bind, '--workers', '2', '--graceful-timeout', '10', 'application'],
      {
        cwd: folder,
        env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1', SOAK_BLOCK: this.blockFile },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.child = child;
    this.log = '';
    child.stderr.on('data', (chunk: Buffer) => (this.log = (this.log + chunk.toString()).slice(-4000)));
    await waitFor(async () => {
      if (child.exitCode !== null) throw new Error(`Gunicorn ended with ${child.exitCode}:\n${this.log}`);
      return this.log.includes('Booting worker') && (await takesConnections(this.port));
    }, `Gunicorn ${this.name} to listen`);
  }

  /** SIGKILL for master and workers at once: nothing is finished. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    killAll([child.pid, ...childrenOf(child.pid)]);
    await ended;
  }

  /** As a service manager does: SIGTERM, wait, start. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => void this.kill(), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
