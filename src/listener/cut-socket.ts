import type { Socket } from 'node:net';

/**
 * Ends a connection with a reset, so that nobody takes what was sent for complete. Over TLS an end without the alert that closes is as
 * clear (RFC 8446 section 6.1). A Unix socket has no resets: a body that lasts until the end of the connection, as in HTTP/1.0, then
 * ends as if it were whole.
 */
export function cutSocket(socket: Socket): void {
  // Without a family it is a Unix socket, or the peer has gone already.
  if ('encrypted' in socket || socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
