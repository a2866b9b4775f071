// An instance of an application that speaks TLS, with those only who show a certificate by its authority. `node application.js PORT`
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const file = (name) => readFileSync(new URL(`certificates/${name}`, import.meta.url));
const server = createServer(
  { cert: file('app.pem'), key: file('app.key'), ca: file('authority.pem'), requestCert: true },
  (request, response) => {
    const { CN } = request.socket.getPeerCertificate().subject;
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.end(`served by ${server.address().port} to ${CN} over ${request.socket.getProtocol()}\n`);
  },
);
// Longer than Portico keeps idle connections, so that it is never the instance that closes them.
server.keepAliveTimeout = 5000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
