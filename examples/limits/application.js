// An application that can do one thing at a time, and says so when it is asked for two. `node application.js PORT`
import { createServer } from 'node:http';

let busy = false;
const server = createServer((_request, response) => {
  response.setHeader('Content-Type', 'text/plain');
  if (busy) {
    response.statusCode = 500;
    return response.end('two at a time\n');
  }
  busy = true;
  setTimeout(() => {
    busy = false;
    response.end('done\n');
  }, 20);
});
server.keepAliveTimeout = 5000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
