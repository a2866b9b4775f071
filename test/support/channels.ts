import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackage } from './debian-package.ts';
import { waitFor } from './wait-for.ts';

const example = fileURLToPath(new URL('../../examples/channels', import.meta.url));
/** Debian's interpreter: another python3 in PATH would not have Channels. */
const python = '/usr/bin/python3';
const environment = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' };
const packages = '/usr/lib/python3/dist-packages';

export type ChannelsServerName = 'daphne' | 'uvicorn';

/** Undefined when Channels and its servers are there; otherwise the reason to skip. */
export function channelsMissing(): string | undefined {
  return (
    ensureDebianPackage('python3-django-channels', `${packages}/channels/__init__.py`) ??
    ensureDebianPackage('daphne', '/usr/bin/daphne') ??
    ensureDebianPackage('uvicorn', '/usr/bin/uvicorn') ??
    ensureDebianPackage('python3-websockets', `${packages}/websockets/__init__.py`)
  );
}

/** Copies examples/channels into a folder and collects its static files. */
export async function prepareChannels(folder: string): Promise<void> {
  await cp(example, folder, { recursive: true, filter: (source) => !/\/(staticfiles|__pycache__)$/.test(source) });
  const result = spawnSync(python, ['manage.py', 'collectstatic', '--noinput', '--verbosity', '0'], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (result.status !== 0) throw new Error(`collectstatic: ${result.stderr}`);
}

/** The example served by one of the servers of its README. */
export class ChannelsServer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(folder: string, name: ChannelsServerName, port: number): Promise<ChannelsServer> {
    const args =
      name === 'daphne'
        ? ['/usr/bin/daphne', '--bind', '127.0.0.1', '--port', String(port)]
        : ['/usr/bin/uvicorn', '--port', String(port), '--lifespan', 'off'];
    const child = spawn(python, [...args, 'project.asgi:application'], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await waitFor(async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${log}`);
      return fetch(`http://127.0.0.1:${port}/`).then(
        (response) => response.ok,
        () => false,
      );
    }, `${name} to answer`);
    return new ChannelsServer(child);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(timer);
  }
}
