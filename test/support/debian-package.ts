import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes sure that a real program is there to test against, installing its Debian package when this is root.
 * @param file a file that the package brings, such as `/usr/bin/gunicorn`
 * @returns undefined when it is there; otherwise the reason to skip the test
 * @throws Error in CI, where no peer may be missing
 */
export function ensureDebianPackage(name: string, file: string): string | undefined {
  if (existsSync(file)) return undefined;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) install(name);
  if (existsSync(file)) return undefined;
  const reason = `needs the Debian package ${name}`;
  if (process.env['CI']) throw new Error(reason);
  return reason;
}

function install(name: string): void {
  // A service started by its package would hold ports that tests want.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = { stdio: 'ignore', env, timeout: 600_000 } as const;
  // Tests run two at a time, and apt refuses to.
  const lock = join(tmpdir(), 'portico-apt.lock');
  const apt = (...args: readonly string[]): boolean =>
    spawnSync('flock', [lock, 'apt-get', ...args], options).status === 0;
  const packageArgs = ['install', '-y', '-qq', '--no-install-recommends', name];
  if (apt(...packageArgs)) return;
  apt('update', '-qq');
  apt(...packageArgs);
}
