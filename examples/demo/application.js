/*
 * The demo application: one small instance of it, as Gunicorn or a Node service would be in earnest.
 * Usage: node application.js NAME [PORT]. Writes `listening PORT` when it takes requests; a SIGTERM ends it.
 */
import { createServer } from 'node:http';
import process from 'node:process';
import { renderPage, textOf } from './page.js';

const name = process.argv[2] ?? 'blue';
const formLimit = 16 * 1024;
const streamedLines = 20;
const streamPauseMs = 250;
const slowMs = 2000;
const reportMs = 1000;
const reportKeptSeconds = 10;

/** @type {Record<string, (request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => void>} */
const pages = {
  '/app': showOverview,
  '/app/whoami': showName,
  '/app/headers': showHeaders,
  '/app/slow': answerSlowly,
  '/app/report': writeReport,
  '/app/stream': streamLines,
  '/app/form': takeForm,
};

function showOverview(_request, response) {
  sendPage(
    response,
    'The application',
    `<p>This page comes from an application instance, through Portico. Load it again: the other instance answers.</p>
<ul><li><a href="/app/headers">the headers that the instance received</a></li>
<li><a href="/app/slow">a slow page</a></li><li><a href="/app/report">a report that Portico keeps</a></li><li><a href="/app/stream">a streamed page</a></li>
<li><a href="/app/form">a form</a></li></ul>`,
  );
}

function showName(_request, response) {
  const body = `${JSON.stringify({ instance: name, pid: process.pid })}\n`;
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
}

function showHeaders(request, response) {
  const rows = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    rows.push(`<tr><th>${textOf(request.rawHeaders[i])}</th><td>${textOf(request.rawHeaders[i + 1])}</td></tr>`);
  }
  sendPage(
    response,
    'Headers received',
    `<p>Portico added the <code>X-Forwarded-*</code>, <code>X-Real-IP</code> and <code>X-Request-Id</code> fields. What a
client sends under these names does not get here.</p><table>${rows.join('')}</table>`,
  );
}

function answerSlowly(_request, response) {
  const timer = setTimeout(() => {
    sendPage(response, 'Slow', `<p>The instance took ${slowMs / 1000} seconds for this page.</p>`);
  }, slowMs);
  response.on('close', () => clearTimeout(timer));
}

/** The same for everybody for some seconds: `s-maxage` lets Portico keep it, and no browser. */
function writeReport(_request, response) {
  const timer = setTimeout(() => {
    const rows = Array.from({ length: 60 }, (_, minute) => {
      const requests = Math.round(400 + 300 * Math.sin(minute / 9));
      return `<tr><th>${String(minute).padStart(2, '0')} minutes ago</th><td>${requests} requests</td></tr>`;
    });
    sendPage(
      response,
      'A report',
      `<p>Written at <time>${new Date().toISOString()}</time>, in ${reportMs / 1000} second. Load it again: for
${reportKeptSeconds} seconds Portico answers with this one, which it has kept, and asks no instance.</p><table>${rows.join('')}</table>`,
      200,
      `s-maxage=${reportKeptSeconds}`,
    );
  }, reportMs);
  response.on('close', () => clearTimeout(timer));
}

function streamLines(_request, response) {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-instance': name });
  let line = 0;
  const timer = setInterval(() => {
    line += 1;
    response.write(`line ${line} of ${streamedLines} from ${name}, ${new Date().toISOString()}\n`);
    if (line === streamedLines) response.end();
  }, streamPauseMs);
  response.on('close', () => clearInterval(timer));
}

function takeForm(request, response) {
  if (request.method !== 'POST') {
    sendPage(
      response,
      'A form',
      `<form method="post"><label>Your name <input name="name" required maxlength="200" autofocus></label>
<label>Message <textarea name="message" rows="4" maxlength="2000"></textarea></label><button>Send</button></form>`,
    );
    return;
  }
  const chunks = [];
  let size = 0;
  request.on('data', (chunk) => {
    size += chunk.length;
    if (size <= formLimit) chunks.push(chunk);
  });
  request.on('end', () => {
    if (size > formLimit) {
      sendPage(response, 'Too long', `<p>The form takes ${formLimit} bytes.</p>`, 413);
      return;
    }
    const rows = [...new URLSearchParams(Buffer.concat(chunks).toString())].map(
      ([field, value]) => `<tr><th>${textOf(field)}</th><td>${textOf(value)}</td></tr>`,
    );
    sendPage(response, 'Thank you', `<p>The instance received:</p><table>${rows.join('')}</table>`);
  });
}

function sendPage(response, title, content, status = 200, cacheControl = 'no-store') {
  response
    .writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': cacheControl,
      'x-instance': name,
    })
    .end(renderPage({ title, content, instance: name }));
}

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const show = pages[path === '/app/' ? '/app' : path];
  if (show) show(request, response);
  else sendPage(response, 'Not found', '<p>The application has no such page.</p>', 404);
});
// Longer than a front server keeps its idle connections, so that this side is never the first to close one.
server.keepAliveTimeout = 10_000;
server.on('error', (error) => {
  process.stderr.write(`${name}: ${error.message}\n`);
  process.exit(1);
});
server.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => {
  const { port } = server.address();
  process.stdout.write(`listening ${port}\n`);
  process.send?.({ port });
});
// Started by demo.js, an instance never outlives it, however that ended.
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
