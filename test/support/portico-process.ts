import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { childrenOf } from './process-tree.ts';
import { waitFor } from './wait-for.ts';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface PorticoProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Another user, where the test runs as root. */
  readonly uid?: number;
  readonly gid?: number;
}

/** The built program as an operator starts it: a primary with its workers. */
export class PorticoProcess {
  readonly child: ChildProcess;
  /** Everything it wrote so far. */
  readonly output: { out: string; err: string } = { out: '', err: '' };

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => (this.output.out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.output.err += chunk.toString()));
  }

  /** Starts `portico ARGS` without waiting for anything. */
  static spawn(args: readonly string[], options: PorticoProcessOptions = {}): PorticoProcess {
    if (!existsSync(program)) throw new Error('dist/main.js is not there; npm run build makes it');
    const child = spawn(process.execPath, [program, ...args], {
      ...options,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new PorticoProcess(child);
  }

  /** Starts `portico serve -c FILE` and resolves once its admin listener says that it is ready. */
  static async serve(
    configuration: string,
    adminPort: number,
    options: PorticoProcessOptions = {},
  ): Promise<PorticoProcess> {
    const portico = PorticoProcess.spawn(['serve', '-c', configuration], options);
    try {
      await waitFor(() => {
        if (portico.child.exitCode !== null) throw new Error(`ended with ${portico.child.exitCode}`);
        return answersReady(adminPort);
      }, 'Portico to be ready');
    } catch (error) {
      portico.child.kill('SIGKILL');
      throw new Error(`Portico did not start:\n${portico.output.err}`, { cause: error });
    }
    return portico;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  workerPids(): number[] {
    return childrenOf(this.pid);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for its end without asking for it; gives the exit code, or null when a signal ended it. Everything it wrote is read then. */
  async ended(): Promise<number | null> {
    await waitFor(() => this.hasEnded && (this.child.stderr?.readableEnded ?? true), 'Portico to end', 40_000);
    return this.child.exitCode;
  }

  /** Waits until it wrote that to standard error. */
  async waitForError(pattern: RegExp): Promise<void> {
    await waitFor(() => pattern.test(this.output.err), `${pattern} on standard error`).catch((error: unknown) => {
      throw new Error(`Portico wrote:\n${this.output.err}`, { cause: error });
    });
  }

  /** Asks it to end; gives its exit code, or null when a signal ended it. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 40_000);
      await ended;
      clearTimeout(timer);
    }
    return this.child.exitCode;
  }
}

function answersReady(adminPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port: adminPort, path: '/ready', agent: false, timeout: 2000 });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', () => resolve(false));
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
  });
}
