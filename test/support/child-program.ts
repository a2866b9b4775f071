import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitFor } from './wait-for.ts';

/** A Node.js program started by a test, with everything it writes. */
export class ChildProgram {
  readonly child: ChildProcess;
  output = '';
  private readonly closed: Promise<unknown>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.closed = once(this.child, 'close');
    this.child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Waits for a text in its output; gives the match. @throws Error when it ends before */
  async waitForOutput(pattern: RegExp): Promise<RegExpExecArray> {
    await waitFor(() => {
      if (!pattern.test(this.output) && this.hasEnded()) throw new Error(`it ended:\n${this.output}`);
      return pattern.test(this.output);
    }, `${pattern} in the output:\n${this.output}`);
    const match = pattern.exec(this.output);
    if (!match) throw new Error('unreachable');
    return match;
  }

  hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits for its end and for all it wrote; gives the exit code, or null after a signal. */
  async ended(): Promise<number | null> {
    await this.closed;
    return this.child.exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.hasEnded()) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    const code = await this.ended();
    clearTimeout(timer);
    return code;
  }
}
