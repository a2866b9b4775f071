// @fastify/http-proxy with its undici pool; no logger, as everywhere. 128 connections are its default.
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

const { PORT, UPSTREAM_PORT } = process.env;
const server = fastify({ logger: false });
server.register(proxy, {
  upstream: `http://127.0.0.1:${UPSTREAM_PORT}`,
  undici: { connections: 128, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      host: request.headers.host,
      'x-forwarded-for': request.ip,
      'x-forwarded-proto': request.protocol,
    }),
  },
});
await server.listen({ port: Number(PORT), host: '127.0.0.1' });
