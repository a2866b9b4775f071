import type { Config, ListenAddress } from '../config/config.ts';

/** What the ready line says. */
export interface StartFacts {
  readonly version: string;
  readonly config: Config;
  /** Name and build of the listener engine. */
  readonly engine: string;
  /** From the start of the process to the last worker's listening, milliseconds. */
  readonly startMs: number;
}

/** `portico 0.1.0 ready on http://127.0.0.1:8080 (2 workers, uWebSockets.js 20.69.0, admin http://127.0.0.1:9180) in 240 ms` */
export function startLine({ version, config, engine, startMs }: StartFacts): string {
  const urls = config.listen.map(urlOf).join(' ');
  const workers = `${config.workers} ${config.workers === 1 ? 'worker' : 'workers'}`;
  const admin = config.admin === undefined ? 'no admin listener' : `admin ${urlOf(config.admin)}`;
  return `portico ${version} ready on ${urls} (${workers}, ${engine}, ${admin}) in ${Math.round(startMs)} ms`;
}

/** With the port that it listens on; for every address, as an address that can be opened on this machine. */
function urlOf({ address, host, port, socket, tls }: ListenAddress): string {
  if (socket !== undefined) return address;
  const scheme = tls === undefined ? 'http' : 'https';
  if (host === undefined) return `${scheme}://0.0.0.0:${port}`;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
