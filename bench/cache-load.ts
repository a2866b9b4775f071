import { spawn } from 'node:child_process';
import { browserHeaders } from './browser-headers.ts';
import type { ChildServer } from './child-server.ts';
import { type Load, readReport } from './load-generator.ts';
import { cpuMicroseconds } from './process-tree.ts';

/** One kind of request to a cache. */
export interface CacheWork {
  readonly name: string;
  readonly title: string;
  readonly path: string;
  /** Accept-Encoding; none when empty. */
  readonly accepts: string;
  /** What the answer must have once it is warm, so that nothing else is measured than what is meant. */
  readonly expects: RegExp;
}

/** CPU microseconds a request. @throws Error when the server fails requests */
export async function measureCache(server: ChildServer, work: CacheWork, seconds: number): Promise<number> {
  const before = cpuMicroseconds(server.pid);
  const load = await run(server.port, work, seconds);
  if (load.failures > 0) throw new Error(`${work.title}: ${load.failures} requests failed`);
  return (cpuMicroseconds(server.pid) - before) / load.requests;
}

/** Asks until the answer is the one that is meant. @returns its bytes of body */
export async function warm(server: ChildServer, work: CacheWork): Promise<number> {
  const headers = work.accepts === '' ? { 'Accept-Encoding': 'identity' } : { 'Accept-Encoding': work.accepts };
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await rawGet(server.port, work.path, headers);
    if (work.expects.test(response.head)) return response.bodyBytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${work.title}: no answer has ${String(work.expects)}`);
}

async function rawGet(port: number, path: string, headers: Readonly<Record<string, string>>) {
  const { request } = await import('node:http');
  return new Promise<{ head: string; bodyBytes: number }>((resolve, reject) => {
    const all = { ...browserHeaders, ...headers };
    const outgoing = request(
      { host: '127.0.0.1', port, path, headers: all, agent: false, timeout: 10_000 },
      (response) => {
        let bodyBytes = 0;
        response.on('data', (chunk: Buffer) => (bodyBytes += chunk.length));
        response.on('end', () =>
          resolve({ head: `${response.statusCode}\n${response.rawHeaders.join('\n')}`, bodyBytes }),
        );
      },
    );
    outgoing.on('error', reject).end();
  });
}

function run(port: number, work: CacheWork, seconds: number): Promise<Load> {
  const args = ['-t1', '-c32', `-d${seconds}s`, '--timeout', '10s'];
  const headers: Record<string, string> = { ...browserHeaders, 'Accept-Encoding': work.accepts || 'identity' };
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', [...args, `http://127.0.0.1:${port}${work.path}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('error', reject);
    child.once('close', () => {
      try {
        resolve(readReport(text));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
