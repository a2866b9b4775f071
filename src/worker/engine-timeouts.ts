import type { Config, RouteAction } from '../config/config.ts';
import { webSocketDefaults } from '../config/websocket-defaults.ts';
import type { EngineTimeouts } from '../listener/engine.ts';

/** What the engines take of a configuration. */
export function engineTimeouts({
  timeouts,
  limits,
  sites,
}: Config): EngineTimeouts & { webSocketMessageBytes: number } {
  const webSockets = sites.flatMap(({ routes }) => routes.map(({ action }) => largestMessage(action)));
  return {
    webSocketMessageBytes: Math.max(webSocketDefaults.maxMessage, ...webSockets),
    requestBodyMs: timeouts.requestBody,
    sendMs: timeouts.send,
    minBodyRate: limits.minBodyRate,
    minBodyRateGraceMs: limits.minBodyRateGrace,
    minSendRate: limits.minSendRate,
    minSendRateGraceMs: limits.minSendRateGrace,
    http2Streams: limits.http2Streams,
    http2Resets: limits.http2Resets,
    requestHeadMs: timeouts.requestHead,
    keepAliveMs: timeouts.keepAlive,
    requestHeadBytes: limits.headerSize,
    ...(limits.requestsPerConnection === false ? {} : { requestsPerConnection: limits.requestsPerConnection }),
  };
}

function largestMessage(action: RouteAction): number {
  return action.kind === 'proxy' && action.webSocket !== false ? action.webSocket.maxMessage : 0;
}
