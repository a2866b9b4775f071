import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { processTree } from './process-tree.ts';

const startTimeoutMs = 15_000;
const stopTimeoutMs = 10_000;
const pollMs = 2;

/** A command that serves in the foreground. */
export interface Command {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly port: number;
  /** Gets what it writes, for as long as it runs. */
  readonly hear?: (text: string) => void;
}

/** A server process started by the benchmark, and ended by it. */
export class ChildServer {
  readonly port: number;
  readonly pid: number;
  /** Milliseconds from starting the process to the first response. */
  readonly startMs: number;
  private readonly child: ChildProcess;
  private readonly endWithUs: () => void;

  private constructor(port: number, child: ChildProcess, startMs: number) {
    this.port = port;
    this.pid = child.pid ?? 0;
    this.child = child;
    this.startMs = startMs;
    this.endWithUs = () => void child.kill('SIGTERM');
    process.once('exit', this.endWithUs);
  }

  /** Starts it and resolves once it answers. @throws Error with its output when it does not */
  static async start(server: Command): Promise<ChildServer> {
    const startedAt = performance.now();
    const child = spawn(server.command, server.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...server.environment },
    });
    const output: string[] = [];
    const keep = (chunk: Buffer): void => {
      if (output.length < 50) output.push(chunk.toString());
      server.hear?.(chunk.toString());
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let failure = '';
    child.once('error', (error) => (failure = error.message));
    while (!(await answers(server.port))) {
      if (child.exitCode !== null) failure = `ended with ${child.exitCode}`;
      if (performance.now() - startedAt > startTimeoutMs) failure = 'does not listen';
      if (failure !== '') {
        child.kill('SIGKILL');
        throw new Error(`${server.name}: ${failure}\n${output.join('')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return new ChildServer(server.port, child, performance.now() - startedAt);
  }

  /** Asks it to end, and makes it end when it takes too long. */
  async stop(): Promise<void> {
    process.off('exit', this.endWithUs);
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => killAll(processTree(this.pid)), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between.
    }
  }
}

/** Whether it answers a request: a port may be held open before anything serves on it. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => socket.write('GET /1k.html HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    socket.once('data', () => answer(true));
    socket.once('close', () => answer(false));
    socket.once('error', () => answer(false));
    socket.setTimeout(1000, () => answer(false));
  });
}
