import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:https';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { httpGet } from './http-get.ts';
import { childrenOf, killAll } from './process-tree.ts';
import type { TestCertificate } from './test-certificates.ts';
import { waitFor } from './wait-for.ts';

const folder = fileURLToPath(new URL('../fixtures/slow-clients', import.meta.url));
const environment = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' };

/** One Gunicorn with one sync worker: it does one request at a time, and waits for its client all the while. */
export class SyncGunicorn {
  readonly port: number;
  private readonly child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.child = child;
  }

  /** @param certificate makes it speak TLS */
  static async start(certificate?: TestCertificate): Promise<SyncGunicorn> {
    const port = await freePort();
    const args = ['/usr/bin/gunicorn', '--workers', '1', '--worker-class', 'sync', '--timeout', '300'];
    const where = ['--bind', `127.0.0.1:${port}`, '--worker-tmp-dir', '/dev/shm', 'application:application'];
    const secure =
      certificate === undefined ? [] : ['--certfile', certificate.certificate, '--keyfile', certificate.key];
    const child = spawn('/usr/bin/python3', [...args, ...secure, ...where], {
      cwd: folder,
      env: environment,
      stdio: 'ignore',
    });
    await waitFor(async () => {
      if (child.exitCode !== null) throw new Error(`Gunicorn ended with ${child.exitCode}`);
      return certificate === undefined ? answers(port) : answersSecurely(port);
    }, 'Gunicorn to answer');
    return new SyncGunicorn(port, child);
  }

  /** Ends it at once, whatever it is doing. */
  async stop(): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined || this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    killAll([pid, ...childrenOf(pid)]);
    await ended;
  }
}

function answers(port: number): Promise<boolean> {
  return httpGet(port, '/').then(
    ({ status }) => status === 200,
    () => false,
  );
}

function answersSecurely(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}
