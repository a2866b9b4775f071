import type { UwsWebSocket, UwsWebSocketBehavior } from './uws-api.ts';
import type { UwsWebSocketPeer } from './uws-websocket-peer.ts';

/** What `UwsResponse.upgrade` is given for each WebSocket. */
export interface UwsWebSocketData {
  readonly peer: UwsWebSocketPeer;
}

/**
 * How uWebSockets.js treats the WebSockets of a listener: it reads and checks frames, puts messages together and answers
 * pings; time and bounds on what is held are not left to it, because it knows one value for all routes.
 * @param onClosed called for each that ends, as nothing else tells that its connection is over
 */
export function webSocketBehavior(
  maxPayloadLength: number,
  upgrade: UwsWebSocketBehavior['upgrade'],
  onClosed: () => void,
): UwsWebSocketBehavior {
  return {
    compression: 0,
    maxPayloadLength,
    idleTimeout: 0,
    maxBackpressure: 0,
    sendPingsAutomatically: false,
    upgrade,
    open: (socket) => peerOf(socket).opened(socket),
    message: (socket, message, isBinary) => peerOf(socket).received(message, isBinary),
    drain: (socket) => peerOf(socket).drained(),
    ping: (socket) => peerOf(socket).heard(),
    pong: (socket) => peerOf(socket).heard(),
    close: (socket, code, reason) => {
      onClosed();
      peerOf(socket).closed(code, reason);
    },
  };
}

function peerOf(socket: UwsWebSocket): UwsWebSocketPeer {
  return (socket.getUserData() as UwsWebSocketData).peer;
}
