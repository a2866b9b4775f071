import { createHash, randomBytes } from 'node:crypto';
import type { Config, ListenAddress } from '../config/config.ts';
import { overlaps } from '../config/listen-address.ts';
import type { LoadResult } from '../config/load.ts';
import { reservePorts, type WantedAddress } from './port-reservation.ts';
import { withSessionSecrets } from './session-secrets.ts';
import { checkSocketFile } from './socket-file.ts';

/** A configuration that was loaded without a mistake. */
export type LoadedConfig = Extract<LoadResult, { ok: true }>;

/** The configuration in force. */
export interface ServedConfig {
  /** 1 for the one the program started with. */
  readonly generation: number;
  /** With free ports in the place of 0. */
  readonly config: Config;
  readonly hash: string;
  /** The file as named, or `command line`. */
  readonly source: string;
  readonly loadedAt: Date;
}

/**
 * Makes sure that every address can be opened, and gives each port 0 a free port and each upstream its session secret.
 * @param former the configuration in force: its addresses are open already and keep their ports
 * @throws AddressError
 */
export async function resolveAddresses(config: Config, former?: Config): Promise<Config> {
  const held = former === undefined ? [] : [...former.listen, ...(former.admin === undefined ? [] : [former.admin])];
  const wanted: WantedAddress[] = config.listen.map((listener) => ({ listener, key: 'listen' }));
  if (config.admin !== undefined) wanted.push({ listener: config.admin, key: 'admin.address' });
  const known = wanted.map(({ listener }) => alreadyOpen(listener, held));
  const unknown = wanted.filter((_, index) => known[index] === undefined);
  for (const { listener, key } of unknown) {
    if (listener.socket !== undefined) await checkSocketFile(listener.socket, key);
  }
  const reserved = await reservePorts(unknown.filter(({ listener }) => listener.socket === undefined));
  const resolved = known.flatMap((listener, index) => {
    const socket = wanted[index]?.listener.socket === undefined ? undefined : wanted[index]?.listener;
    return listener ?? socket ?? reserved.shift() ?? [];
  });
  const admin = config.admin === undefined ? undefined : { ...config.admin, ...resolved.pop() };
  const upstreams = withSessionSecrets(config.upstreams, former?.upstreams);
  // What limits remember goes by it.
  const limitSecret = limitSecretOf(config, former);
  return { ...config, listen: resolved, admin, upstreams, limitSecret };
}

/** 16 bytes in base64url: those that all machines have which share limits, or random ones that stay. */
function limitSecretOf({ redis }: Config, former: Config | undefined): string {
  if (redis !== undefined) {
    const secret = redis.secret ?? redis.url;
    return createHash('sha256').update(`portico limits ${secret}`).digest().subarray(0, 16).toString('base64url');
  }
  const isOwn = former !== undefined && former.redis === undefined;
  return isOwn ? former.limitSecret : randomBytes(16).toString('base64url');
}

/** What is open under that address, or a socket of ours that stands in the way of trying it. */
function alreadyOpen(listener: ListenAddress, held: readonly ListenAddress[]): ListenAddress | undefined {
  const same = held.find((other) => other.address === listener.address);
  // What else is said of it may have changed.
  if (same !== undefined) return { ...listener, port: same.port };
  return held.some((other) => overlaps(other, listener)) ? listener : undefined;
}
