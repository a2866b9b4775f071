import type { Socket } from 'node:net';

/** What a peer is called whose address nobody can tell any more. Not '', which is one on a Unix socket and may be trusted. */
export const unknownPeer = 'unknown';

/**
 * The address of who is connected, IPv4 peers of a dual-stack socket in dotted form; '' on a Unix socket. One that has reset its
 * connection has no address any more, although it may have sent a request before.
 */
export function peerAddress({ remoteAddress }: Pick<Socket, 'remoteAddress'>, isUnix: boolean): string {
  if (isUnix) return '';
  return remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '') ?? unknownPeer;
}
