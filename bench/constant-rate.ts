import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { browserHeaders } from './browser-headers.ts';
import { outputOf } from './load-generator.ts';
import { cacheFolder } from './node-rivals.ts';

/** Load at a rate that does not depend on how fast the server answers. */
export interface ConstantLoad {
  readonly port: number;
  readonly path: string;
  /** Requests a second, evenly spaced. */
  readonly rate: number;
  readonly connections: number;
  readonly seconds: number;
  /** Load before that, which is not counted. */
  readonly warmUpSeconds: number;
}

/** Response times from the moment at which each request was due, milliseconds. */
export interface Tail {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late requests were sent, 99th percentile: because the generator was busy, or no connection was free. */
  readonly sendLagP99Ms: number;
  /** Requests that were due but not answered in time, and wrong answers. */
  readonly failures: number;
}

const source = fileURLToPath(new URL('constant-rate.c', import.meta.url));
const generator = `${cacheFolder}/constant-rate`;

/** Compiles the generator of constant load. @throws Error without a C compiler */
export function buildConstantRate(): void {
  mkdirSync(cacheFolder, { recursive: true });
  const result = spawnSync('cc', ['-O2', '-o', generator, source, '-lm'], { encoding: 'utf8' });
  if (result.error) throw new Error('a constant rate needs a C compiler, cc');
  if (result.status !== 0) throw new Error(`cc: ${result.stderr}`);
}

/** Sends requests at a constant rate; the generator says how. @throws Error when the server closes a connection */
export async function runConstantRate(load: ConstantLoad): Promise<Tail> {
  const fields = Object.entries(browserHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = `GET ${load.path} HTTP/1.1\r\nHost: localhost\r\n${fields.join('')}\r\n`;
  const args = [load.port, load.rate, load.connections, load.seconds, load.warmUpSeconds].map(String);
  const text = await outputOf(generator, args, { input: request });
  try {
    return JSON.parse(text) as Tail;
  } catch {
    throw new Error(`the generator of constant load: ${text.trim()}`);
  }
}
