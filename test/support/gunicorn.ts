import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackage } from './debian-package.ts';
import { childrenOf, killAll } from './process-tree.ts';
import { waitFor } from './wait-for.ts';

const example = fileURLToPath(new URL('../../examples/django', import.meta.url));
/** Debian's interpreter: another python3 in PATH would have neither Django nor Gunicorn. */
const python = '/usr/bin/python3';
const program = '/usr/bin/gunicorn';
const environment = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' };

export const administrator = { username: 'admin', password: 'a-long-password-for-tests' };

/** Undefined when Gunicorn and Django are there; otherwise the reason to skip. */
export function gunicornMissing(): string | undefined {
  return (
    ensureDebianPackage('gunicorn', program) ??
    ensureDebianPackage('python3-django', '/usr/lib/python3/dist-packages/django/__init__.py')
  );
}

/** Copies examples/django into a folder and makes it ready: database, collected static files, an administrator. */
export async function prepareDjango(folder: string): Promise<void> {
  const unwanted = /\/(data|media|protected|run|staticfiles|__pycache__)$/;
  await cp(example, folder, { recursive: true, filter: (source) => !unwanted.test(source) });
  await mkdir(join(folder, 'run'), { recursive: true });
  manage(folder, ['migrate', '--verbosity', '0']);
  manage(folder, ['collectstatic', '--noinput', '--verbosity', '0']);
  manage(
    folder,
    ['createsuperuser', '--noinput', '--username', administrator.username, '--email', 'admin@example.com'],
    {
      DJANGO_SUPERUSER_PASSWORD: administrator.password,
    },
  );
}

function manage(folder: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): void {
  const result = spawnSync(python, ['manage.py', ...args], {
    cwd: folder,
    env: { ...environment, ...more },
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (result.status !== 0) throw new Error(`manage.py ${args[0]}: ${result.stderr}`);
}

/** One Gunicorn with the settings of examples/django, and an access log of its own. */
export class Gunicorn {
  readonly name: string;
  private readonly child: ChildProcess;
  private readonly logFile: string;

  private constructor(name: string, child: ChildProcess, logFile: string) {
    this.name = name;
    this.child = child;
    this.logFile = logFile;
  }

  /**
   * @param at a port of the loopback address, or the path of a Unix socket
   * @param variables further variables of its environment
   */
  static async start(
    folder: string,
    name: string,
    at: number | string,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Gunicorn> {
    const logFile = join(folder, `gunicorn-${name}.log`);
    const bind = typeof at === 'number' ? `127.0.0.1:${at}` : `unix:${at}`;
    const child = spawn(python, [program, '--bind', bind, '--access-logfile', logFile], {
      cwd: folder,
      env: { ...environment, ...variables, INSTANCE: name },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const gunicorn = new Gunicorn(name, child, logFile);
    await waitFor(async () => {
      if (child.exitCode !== null) throw new Error(`Gunicorn ended with ${child.exitCode}:\n${log}`);
      return log.includes('Booting worker') && (await takesConnections(at));
    }, `Gunicorn ${name} to listen`);
    return gunicorn;
  }

  /** Lines of its own access log: what really reached it. */
  accessLog(): string[] {
    if (!existsSync(this.logFile)) return [];
    return readFileSync(this.logFile, 'utf8').split('\n').filter(Boolean);
  }

  /** Ends master and workers at once, without letting them finish anything. */
  kill(): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    killAll([pid, ...childrenOf(pid)]);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), 5000);
    await ended;
    clearTimeout(timer);
  }
}

function takesConnections(at: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof at === 'number' ? connect({ host: '127.0.0.1', port: at }) : connect({ path: at });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
