import { z } from 'zod';
import { bufferingDefaults } from './buffering-defaults.ts';
import { folder } from './schema-values.ts';
import { formatSize, size } from './units.ts';

const buffering = z.strictObject({
  request: z
    .boolean()
    .default(bufferingDefaults.request)
    .describe(
      'Reads the body of a request whole before a server is asked for, so that no server waits for a slow client. `false` passes it on as it comes. NGINX: `proxy_request_buffering`. HAProxy: `option http-buffer-request`.',
    ),
  response: z
    .boolean()
    .default(bufferingDefaults.response)
    .describe(
      'Takes a response from the server as fast as it comes and keeps what the client has not taken yet. Event streams and responses with `X-Accel-Buffering: no` are never kept. NGINX: `proxy_buffering`. HAProxy: none.',
    ),
  requestMemory: size({ max: 16 * 1024 ** 2 })
    .prefault(formatSize(bufferingDefaults.requestMemory))
    .describe(
      'A request body up to this size stays in memory; a larger one goes to a file in `spool.directory`. NGINX: `client_body_buffer_size`. HAProxy: `tune.bufsize`.',
    ),
  responseMemory: size({ min: 64 * 1024, max: 16 * 1024 ** 2 })
    .prefault(formatSize(bufferingDefaults.responseMemory))
    .describe(
      'So much of a response is kept in memory; what goes beyond it goes to a file in `spool.directory`. NGINX: `proxy_buffers`. HAProxy: `tune.bufsize`.',
    ),
  responseMax: size()
    .prefault(formatSize(bufferingDefaults.responseMax))
    .describe(
      'So much of a response goes to a file at most; then the server waits for the client. `0B`: memory alone. NGINX: `proxy_max_temp_file_size`. HAProxy: none.',
    ),
});

/** What a proxied route says about buffering. */
export const routeBuffering = z
  .union([z.literal(false), buffering])
  .prefault({})
  .describe(
    'What is kept of requests and responses, so that servers do not wait for clients; `false` passes everything on as it comes. NGINX: `proxy_buffering`, `proxy_request_buffering`. HAProxy: `option http-buffer-request`.',
  );

/** Where bodies are kept, for each worker. */
export const spool = z.strictObject({
  directory: folder
    .optional()
    .describe(
      'Folder for bodies that are too large for memory, on a local disk. The files have no names and are gone with the process. Without it `/var/tmp`, or where that cannot be written the folder for temporary files of the system. NGINX: `client_body_temp_path`, `proxy_temp_path`. HAProxy: none.',
    ),
  size: size({ min: 1024 ** 2 })
    .prefault('4GB')
    .describe(
      'Most bytes in the files of a worker, all requests and responses together. Beyond it uploads are answered with 503, and servers wait for clients. NGINX: none. HAProxy: none.',
    ),
  memory: size({ min: 1024 ** 2 })
    .prefault('32MB')
    .describe(
      'Most memory of a worker for bodies of requests and responses. Beyond it they go to files earlier. NGINX: none. HAProxy: none.',
    ),
});
