// http-proxy-middleware on bare node:http: no framework around it, which is the fastest way to run it.
import { Agent, createServer } from 'node:http';
import { createProxyMiddleware } from 'http-proxy-middleware';

const { PORT, UPSTREAM_PORT } = process.env;
const middleware = createProxyMiddleware({
  target: `http://127.0.0.1:${UPSTREAM_PORT}`,
  agent: new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 }),
  xfwd: true,
});
createServer((request, response) => {
  void middleware(request, response, () => response.writeHead(404).end());
}).listen(Number(PORT), '127.0.0.1');
