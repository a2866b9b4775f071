import { execFileSync } from 'node:child_process';
import { type Load, outputOf, readReport } from './load-generator.ts';

/** How the requests of a work reach the server. */
export type TlsTraffic = 'kept-alive' | 'http2' | 'handshakes';

/** A certificate on P-256 with its key, `site.pem` and `site.key` in that folder, in the place of what lies there. */
export function makeCertificate(folder: string): void {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const files = ['-keyout', `${folder}/site.key`, '-out', `${folder}/site.pem`];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '30', ...curve, ...names, ...files], { stdio: 'ignore' });
}

/** @throws Error when the load generator gives no report */
export async function runTlsLoad(port: number, traffic: TlsTraffic, seconds: number): Promise<Load> {
  const url = `https://127.0.0.1:${port}/1k.html`;
  if (traffic === 'http2') return readH2loadReport(await outputOf('h2load', ['-c8', '-m16', `-D${seconds}`, url]));
  const close = traffic === 'handshakes' ? ['-H', 'Connection: close'] : [];
  const args = ['-t1', traffic === 'handshakes' ? '-c16' : '-c32', `-d${seconds}s`, '--timeout', '10s'];
  const report = await outputOf('wrk', [...args, '-H', 'Host: localhost', ...close, url]);
  return traffic === 'handshakes' ? readClosedReport(report) : readReport(report);
}

/**
 * Reads what wrk prints when it has asked for each connection to be closed. A server that closes it without saying so back, which
 * it need not (RFC 9112 section 9.6), leaves wrk with an error of reading behind each response.
 */
export function readClosedReport(text: string): Load {
  const load = readReport(text);
  const readErrors = Number(/Socket errors: connect \d+, read (\d+)/.exec(text)?.[1] ?? 0);
  return readErrors < load.requests ? load : { ...load, failures: load.failures - load.requests };
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
