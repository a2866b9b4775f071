import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { waitFor } from './wait-for.ts';

/**
 * Mounts the root file system of a container read-only, in a mount and process namespace of its own, and starts the command as process 1
 * there: what a container engine does for `--read-only`. The network stays the host's.
 */
const script = `
set -e
root=$1; user=$2; shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" "$@"
`;

export class ProcessOne {
  private readonly child: ChildProcess;
  output = '';

  constructor(root: string, user: string, command: readonly string[]) {
    const args = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'sh', root, user, ...command];
    this.child = spawn('unshare', args, {
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** The process that is number 1 inside, by its number outside. */
  async pid(): Promise<number> {
    let pid = 0;
    await waitFor(() => {
      if (this.hasEnded()) throw new Error(`it ended:\n${this.output}`);
      const { pid: outer } = this.child;
      pid = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').trim().split(' ')[0]);
      return pid > 0;
    }, 'process 1');
    return pid;
  }

  /** Sends a signal to process 1, as a container engine does, and gives its exit code. */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    process.kill(await this.pid(), signal);
    if (!this.hasEnded()) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  /** Ends it at once; with process 1 every other process inside goes too. */
  async kill(): Promise<void> {
    if (!this.hasEnded()) await this.signal('SIGKILL');
  }
}
