import { execFileSync } from 'node:child_process';
import { type Load, outputOf, readReport } from './load-generator.ts';

/** How the requests of a work reach the server. */
export type TlsTraffic = 'kept-alive' | 'http2' | 'handshakes';

/** The kind of key of a certificate: P-256, or RSA of 2048 bits. */
export type KeyKind = 'ec' | 'rsa';

/** Connections that begin together, a hundred times a second: below what any of the servers can take. */
const connectionsAtOnce = 5;
const connectionsPerSecond = 100 * connectionsAtOnce;

/** A certificate with its key, `ec.pem` and `ec.key` or `rsa.pem` and `rsa.key` in that folder, in the place of what lies there. */
export function makeCertificate(folder: string, kind: KeyKind): void {
  const key = kind === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', 'rsa:2048'];
  const files = ['-keyout', `${folder}/${kind}.key`, '-out', `${folder}/${kind}.pem`];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '30', ...key, ...names, ...files], { stdio: 'ignore' });
}

/** @throws Error when the load generator gives no report */
export async function runTlsLoad(port: number, traffic: TlsTraffic, seconds: number): Promise<Load> {
  const url = `https://127.0.0.1:${port}/1k.html`;
  if (traffic === 'http2') return readH2loadReport(await outputOf('h2load', ['-c8', '-m16', `-D${seconds}`, url]));
  if (traffic === 'handshakes') return readH2loadReport(await outputOf('h2load', handshakeArguments(port, seconds)));
  return readReport(
    await outputOf('wrk', ['-t1', '-c32', `-d${seconds}s`, '--timeout', '10s', '-H', 'Host: localhost', url]),
  );
}

/** A connection for each request. wrk would not do: it takes up the session of the connection before, so that no handshake is a full one. */
function handshakeArguments(port: number, seconds: number): string[] {
  const count = Math.ceil(seconds * connectionsPerSecond);
  const pace = [`-r${connectionsAtOnce}`, '--rate-period=10ms'];
  const where = [`--connect-to=127.0.0.1:${port}`, `https://localhost:${port}/1k.html`];
  return ['--h1', '-t1', `-c${count}`, `-n${count}`, ...pace, ...where];
}

/** Reads what h2load prints. @throws Error when it is no report */
export function readH2loadReport(text: string): Load {
  const [, done, failed, errored, timedOut] =
    /requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
      text,
    ) ?? [];
  const rate = /finished in [\d.]+m?s, ([\d.]+) req\/s/.exec(text)?.[1];
  const others = /status codes: \d+ 2xx, \d+ 3xx, (\d+) 4xx, (\d+) 5xx/.exec(text);
  if (done === undefined || rate === undefined || others === null) throw new Error(`h2load gave no report:\n${text}`);
  const failures = [failed, errored, timedOut, others[1], others[2]].reduce((sum, count) => sum + Number(count), 0);
  return { requests: Number(done), requestsPerSecond: Number(rate), failures };
}
