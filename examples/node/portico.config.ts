import { defineConfig } from 'portico';

// A configuration in TypeScript: the same keys as in portico.yaml, checked by the editor, and free to compute.
const ports = (process.env.APP_PORTS ?? '3001,3002').split(',');

export default defineConfig({
  listen: [process.env.PORTICO_LISTEN ?? '0.0.0.0:8080'],
  admin: { address: process.env.PORTICO_ADMIN ?? '127.0.0.1:9180' },
  accessLog: { format: 'json' },
  upstreams: {
    api: {
      servers: ports.map((port) => `http://127.0.0.1:${port}`),
      // Node closes idle connections after the server's keepAliveTimeout, one minute in server.js.
      keepAlive: { idleTimeout: '50s' },
      // Server-sent events may be silent for long.
      timeouts: { read: '10m' },
    },
  },
  sites: [
    {
      routes: [
        { path: '/api', proxy: { upstream: 'api' }, bodyLimit: '10MB' },
        { path: '/healthz', exact: true, respond: { body: 'ok\n' } },
        { path: '/', exact: true, redirect: { to: '/api/hello' } },
      ],
    },
  ],
});
