/*
 * A Node service without a framework: JSON, a stream of server-sent events, an upload.
 * Usage: node server.js [PORT]. A SIGTERM lets requests in flight finish.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import process from 'node:process';

const tickMs = 500;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/api/hello' && request.method === 'GET') sayHello(request, response);
  else if (pathname === '/api/ticks' && request.method === 'GET') streamTicks(response);
  else if (pathname === '/api/digest' && request.method === 'POST') digestBody(request, response);
  else sendJson(response, 404, { error: 'not found', path: pathname });
});

function sayHello(request, response) {
  sendJson(response, 200, {
    hello: 'from Node',
    port: request.socket.localPort,
    host: request.headers.host,
    // Portico writes these three itself; a client cannot forge them.
    client: request.headers['x-forwarded-for'],
    scheme: request.headers['x-forwarded-proto'],
    requestId: request.headers['x-request-id'],
  });
}

function streamTicks(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let tick = 0;
  const send = () => response.write(`id: ${(tick += 1)}\ndata: ${new Date().toISOString()}\n\n`);
  send();
  const timer = setInterval(send, tickMs);
  response.on('close', () => clearInterval(timer));
}

function digestBody(request, response) {
  const digest = createHash('sha256');
  let size = 0;
  request.on('data', (chunk) => {
    size += chunk.length;
    digest.update(chunk);
  });
  request.on('end', () => sendJson(response, 200, { size, sha256: digest.digest('hex') }));
}

function sendJson(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}

// Longer than Portico keeps an idle connection (`keepAlive.idleTimeout`), so that this side never closes one first.
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2] ?? 3001), '127.0.0.1', () => {
  process.stdout.write(`listening ${server.address().port}\n`);
});
process.on('SIGTERM', () => server.close(() => process.exit(0)));
