import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The real programs that tests run against: the command that shows it is there, and the Debian package that brings it. */
const peers: readonly (readonly [command: string, debianPackage: string])[] = [
  ['/usr/bin/gunicorn', 'gunicorn'],
  ['/usr/lib/python3/dist-packages/django/__init__.py', 'python3-django'],
  ['/usr/bin/prometheus', 'prometheus'],
  ['/usr/bin/promtool', 'prometheus'],
  ['/usr/sbin/nginx', 'nginx-light'],
  ['/usr/bin/h2o', 'h2o'],
  ['/usr/sbin/haproxy', 'haproxy'],
  ['/usr/bin/caddy', 'caddy'],
  ['/usr/bin/wrk', 'wrk'],
  ['/usr/bin/curl', 'curl'],
  ['/usr/bin/buildah', 'buildah'],
  ['/usr/sbin/debootstrap', 'debootstrap'],
  ['/usr/bin/crun', 'crun'],
];

/**
 * Installs the missing ones through apt when root; otherwise the tests that need them are skipped, or fail in CI.
 * @param words what was asked for on the command line: unit tests alone need no peer
 */
export function installPeers(words: readonly string[]): void {
  if (words.length > 0 && words.every((word) => /unit|conformance|integration/.test(word))) return;
  const missing = new Set(peers.filter(([path]) => !existsSync(path)).map(([, name]) => name));
  if (missing.size === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  process.stdout.write(`installing ${[...missing].join(' ')}\n`);
  // A service of the distribution started by its package would hold ports that tests and operators want.
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  const options = ['install', '-y', '-qq', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0'];
  const installed = spawnSync('apt-get', [...options, ...missing], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: environment,
  });
  if (installed.status !== 0) process.stderr.write('apt-get could not install every peer\n');
}
