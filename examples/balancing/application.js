// An instance of an application. `node application.js PORT`
import { createServer } from 'node:http';

const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.end(`served by ${server.address().port}\n`);
});
// Longer than Portico keeps idle connections, so that it is never the instance that closes them.
server.keepAliveTimeout = 5000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
