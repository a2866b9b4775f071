import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackage } from './debian-package.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const baseImage = 'localhost/node:24-trixie-slim';
/** Test equipment beside the project, not part of it: makes the base image from Debian packages and npm, without a registry. */
const baseImageScript = process.env['PORTICO_BASE_IMAGE_SCRIPT'] ?? `${root}../shared/container/base-image.sh`;
const environment = { ...process.env, STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot' };

/** Undefined when images can be built here; otherwise the reason to skip. */
export function containersMissing(): string | undefined {
  if (!existsSync(baseImageScript)) return `needs a base image; ${baseImageScript}, which makes it, is not there`;
  if (process.getuid?.() !== 0) return 'needs root to build an image';
  return (
    ensureDebianPackage('buildah', '/usr/bin/buildah') ??
    ensureDebianPackage('debootstrap', '/usr/sbin/debootstrap') ??
    ensureDebianPackage('crun', '/usr/bin/crun')
  );
}

/** Makes the base image unless it is there: some minutes. */
export function makeBaseImage(): void {
  run('bash', [baseImageScript]);
}

/** Runs a buildah command; gives its standard output. @throws Error with all it wrote when it fails */
export function buildah(...args: readonly string[]): string {
  return run('buildah', args);
}

/** Builds the Dockerfile, or one stage of it, under a name. */
export function buildImage(name: string, ...options: readonly string[]): void {
  // The format that knows HEALTHCHECK.
  buildah('bud', '--format', 'docker', '--build-arg', `NODE_IMAGE=${baseImage}`, ...options, '-t', name, root);
}

/** Starts a command in a container, as the image's user, and gives the process with its output as pipes. */
export function startInContainer(container: string, args: readonly string[]): ChildProcess {
  return spawn('buildah', ['run', container, '--', ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { env: environment, encoding: 'utf8', maxBuffer: 256 * 1024 ** 2 });
  if (result.status === 0) return result.stdout;
  throw new Error(
    `${command} ${args.join(' ')}: ${result.error?.message ?? result.status}\n${result.stdout}${result.stderr}`,
  );
}
