import { z } from 'zod';
import { duration, formatDuration, formatSize, size } from './units.ts';
import { webSocketDefaults } from './websocket-defaults.ts';

/** WebSockets of a proxy route. */
export const routeWebSocket = z
  .union([
    z.literal(false),
    z.strictObject({
      maxMessage: size({ min: 1024, max: 64 * 1024 ** 2 })
        .prefault(formatSize(webSocketDefaults.maxMessage))
        .describe(
          'Most bytes in a message, from either side. A larger one ends the WebSocket with 1009. NGINX and HAProxy: none, they do not look into WebSockets.',
        ),
      maxBuffered: size({ min: 16 * 1024, max: 1024 ** 3 })
        .prefault(formatSize(webSocketDefaults.maxBuffered))
        .describe(
          'Most bytes that wait in memory for a side that takes them too slowly. The application is not read from meanwhile; a client, which cannot be made to wait, is closed with 1013. NGINX: `proxy_buffer_size`. HAProxy: `tune.bufsize`.',
        ),
      idleTimeout: duration({ min: 1000 })
        .prefault(formatDuration(webSocketDefaults.idleTimeout))
        .describe(
          'A side of which nothing was heard for so long, not even the answer to a ping that is sent at half that time, is taken for gone and the WebSocket is closed. Idle ones that are alive stay open. NGINX: `proxy_read_timeout`. HAProxy: `timeout tunnel`.',
        ),
    }),
  ])
  .prefault({})
  .describe(
    'How WebSockets of the route are passed on, or `false` to answer their handshakes like any other request. NGINX: `proxy_set_header Upgrade` and `proxy_http_version 1.1`. HAProxy: always on.',
  );
