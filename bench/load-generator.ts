import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { browserHeaders } from './browser-headers.ts';
import type { Work } from './work.ts';

/** What the load generator counted. */
export interface Load {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Responses other than 2xx and 3xx, and connections that broke. */
  readonly failures: number;
}

/** Runs wrk, one thread, for so many seconds, which may be a fraction of one; the folder takes its scripts. */
export async function runLoad(origin: string, work: Work, seconds: number, folder: string, etag = ''): Promise<Load> {
  const args = ['-t1', `-c${work.connections}`, `-d${Math.ceil(seconds)}s`, '--timeout', '10s'];
  for (const [name, value] of Object.entries(browserHeaders)) args.push('-H', `${name}: ${value}`);
  if (etag !== '') args.push('-H', `If-None-Match: ${etag}`);
  const script = scriptOf(work, folder);
  if (script !== undefined) args.push('-s', script);
  // wrk counts in whole seconds, and ends early with its report when it is interrupted.
  const interruptMs = Number.isInteger(seconds) ? undefined : seconds * 1000;
  return readReport(await outputOf('wrk', [...args, `${origin}${work.path}`], { interruptMs }));
}

function scriptOf(work: Work, folder: string): string | undefined {
  if (work.list) return work.list.writeScript(folder);
  if (work.bodyBytes === 0) return undefined;
  const script = `${folder}/${work.name}.lua`;
  writeFileSync(script, `wrk.method = "${work.method}"\nwrk.body = string.rep("x", ${work.bodyBytes})\n`);
  return script;
}

/** Reads what wrk prints. @throws Error when it is no report */
export function readReport(text: string): Load {
  const requests = /(\d+) requests in /.exec(text)?.[1];
  const rate = /^Requests\/sec:\s+([\d.]+)/m.exec(text)?.[1];
  if (requests === undefined || rate === undefined) throw new Error(`wrk gave no report:\n${text}`);
  const answers = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  const failures = sockets.reduce((sum, number) => sum + Number(number), answers);
  return { requests: Number(requests), requestsPerSecond: Number(rate), failures };
}

/**
 * Everything that a command writes, once it has ended.
 * @param changes sends SIGINT after so long; gives it something to read
 * @throws Error when there is no such command
 */
export function outputOf(
  command: string,
  args: readonly string[],
  { interruptMs, input }: { readonly interruptMs?: number | undefined; readonly input?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', reject).end(input);
    const endWithUs = (): void => void child.kill('SIGTERM');
    process.once('exit', endWithUs);
    const timer = interruptMs === undefined ? undefined : setTimeout(() => child.kill('SIGINT'), interruptMs);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('error', reject);
    child.once('close', () => {
      process.off('exit', endWithUs);
      clearTimeout(timer);
      resolve(text);
    });
  });
}
