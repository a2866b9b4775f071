// Says how a request body came: how long it took to arrive, from its first to its last byte, and how.
import { createServer } from 'node:http';

const port = Number(process.argv[2] ?? 8001);

const server = createServer((request, response) => {
  if (request.url === '/broken') {
    response.writeHead(500, { 'Content-Type': 'text/plain' }).end('a stack trace that nobody should see\n');
    return;
  }
  if (request.url?.startsWith('/download/')) {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(Buffer.alloc(1024 * 1024, 'x'));
    return;
  }
  let bytes = 0;
  const pieces = [];
  request.on('data', (chunk) => {
    bytes += chunk.length;
    pieces.push(performance.now());
  });
  request.on('end', () => {
    const framing = request.headers['transfer-encoding'] ?? 'Content-Length';
    const milliseconds = pieces.length === 0 ? 0 : Math.round(pieces.at(-1) - pieces[0]);
    response.setHeader('Content-Type', 'application/json');
    response.end(`${JSON.stringify({ bytes, framing, milliseconds })}\n`);
  });
});

server.listen(port, '127.0.0.1', () => process.stdout.write(`listening on ${port}\n`));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
