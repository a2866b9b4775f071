// http-proxy on node:http, with the kept-alive agent that its pages advise and the forwarded fields on.
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const { PORT, UPSTREAM_PORT } = process.env;
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${UPSTREAM_PORT}`,
  agent: new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 }),
  xfwd: true,
});
proxy.on('error', (error, request, response) => response.writeHead?.(502).end());
createServer((request, response) => proxy.web(request, response)).listen(Number(PORT), '127.0.0.1');
