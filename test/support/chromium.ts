import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebianPackage } from './debian-package.ts';
import { descendantsOf, killAll } from './process-tree.ts';

const program = '/usr/bin/chromium';
/** Quiet: everything beyond the page itself would be connections that lead nowhere. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
];

/** Undefined when there is a Chromium; otherwise the reason to skip. */
export function chromiumMissing(): string | undefined {
  return ensureDebianPackage('chromium', program);
}

/** A browser that shows one page until it is closed. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: string;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
  }

  /** @param more further flags */
  static async show(url: string, more: readonly string[] = []): Promise<Chromium> {
    const profile = await mkdtemp(join(tmpdir(), 'portico-chromium-'));
    const child = spawn(program, [...flags, ...more, `--user-data-dir=${profile}`, url], { stdio: 'ignore' });
    return new Chromium(child, profile);
  }

  async close(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      killAll([...descendantsOf(pid), pid]);
      await ended;
    }
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }
}
