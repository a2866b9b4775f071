// An instance of an application with a health check. `node application.js PORT`; SIGUSR2 makes it sick, and well again.
import { createServer } from 'node:http';

let sick = false;
process.on('SIGUSR2', () => {
  sick = !sick;
  console.log(sick ? 'sick' : 'well');
});

const server = createServer((request, response) => {
  if (request.url === '/healthz') {
    // What a real one looks at: can it reach its database, has it run its migrations?
    response.writeHead(sick ? 503 : 200, { 'Content-Type': 'text/plain' });
    return response.end(sick ? 'status: failing\n' : 'status: ok\n');
  }
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  return response.end(`served by ${server.address().port}\n`);
});
// Longer than Portico keeps idle connections, so that it is never the instance that closes them.
server.keepAliveTimeout = 5000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
