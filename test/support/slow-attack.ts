import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebianPackage } from './debian-package.ts';

const program = '/usr/bin/slowhttptest';

/** Undefined when slowhttptest is there; otherwise the reason to skip. */
export function slowHttpTestMissing(): string | undefined {
  return ensureDebianPackage('slowhttptest', program);
}

/** Heads that never end, bodies that hardly come, responses that are hardly read, and very many ranges. */
export const slowAttackKinds = ['headers', 'body', 'read', 'range'] as const;
export type SlowAttackKind = (typeof slowAttackKinds)[number];

const flags: Readonly<Record<SlowAttackKind, readonly string[]>> = {
  headers: ['-H', '-i', '4', '-x', '24'],
  body: ['-B', '-i', '4', '-x', '10', '-s', '8192', '-t', 'POST'],
  read: ['-X', '-w', '512', '-y', '1024', '-n', '4', '-z', '32', '-k', '1'],
  range: ['-R', '-a', '10', '-b', '3000', '-t', 'HEAD'],
};

export interface SlowAttackOptions {
  readonly url: string;
  readonly connections: number;
  /** After so long it ends, when it was not cut off before. */
  readonly seconds: number;
  /** For its statistics. */
  readonly folder: string;
}

/** What the attack has seen. */
export interface SlowAttackResult {
  readonly mostConnected: number;
  /** Seconds in which a request of its own, made beside, was not answered in time. */
  readonly secondsUnavailable: number;
}

/** Many connections of slowhttptest. */
export class SlowAttack {
  readonly #child: ChildProcess;
  readonly #statistics: string;

  constructor(kind: SlowAttackKind, { url, connections, seconds, folder }: SlowAttackOptions) {
    const prefix = join(folder, `attack-${kind}`);
    this.#statistics = `${prefix}.csv`;
    const rate = Math.min(connections, 1000);
    const common = ['-c', connections, '-r', rate, '-l', seconds, '-p', 5, '-g', '-o', prefix, '-u', url].map(String);
    this.#child = spawn(program, [...flags[kind], ...common], { stdio: 'ignore' });
  }

  /** It is not when its time is over, or it knows that all its connections are gone: those that it hardly reads it thinks open. */
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it, and reads what it has written down. */
  async result(): Promise<SlowAttackResult> {
    const closed = once(this.#child, 'close');
    // It writes its statistics on SIGINT, as when a person has had enough.
    this.#child.kill('SIGINT');
    if (this.running) await closed;
    const rows = readFileSync(this.#statistics, 'utf8').trim().split('\n').slice(1);
    const samples = rows.map((row) => row.split(',').map(Number));
    return {
      mostConnected: Math.max(0, ...samples.map(([, , , connected = 0]) => connected)),
      // The first second has not asked yet.
      secondsUnavailable: samples.filter(([second = 0, , , , available]) => second > 1 && available === 0).length,
    };
  }

  stop(): void {
    if (this.running) this.#child.kill('SIGKILL');
  }
}
