import { STATUS_CODES } from 'node:http';
import { type ErrorCode, type ErrorDefinition, type ErrorSide, errorCodes } from './error-code.ts';
import type { ErrorFormat } from './error-format.ts';
import { escapeHtml } from './html.ts';

export const errorContentTypes: Readonly<Record<ErrorFormat, string>> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
};

/** Says who failed, so that nobody looks for the cause on the wrong side. */
const blame: Record<ErrorSide, string> = {
  client: 'Portico, the front server, refused the request. The application did not fail.',
  upstream: 'Portico, the front server, is working. The application behind it failed.',
  internal: 'Portico, the front server, failed. The application is not the cause.',
  config: 'Portico, the front server, is not configured for this. The application is not the cause.',
};

/** Where the way from the visitor to the application breaks off. */
const brokenHop: Record<ErrorSide, number> = { client: 0, internal: 1, config: 1, upstream: 2 };
const hops = ['Your request', 'Portico', 'Application'] as const;

/** Stands where the request id goes, until the text is cut there. */
const idMark = '@request-id@';

const style = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b1f27;--soft:#5a6270;--line:#dfe3e9;--bad:#b3261e;--ok:#1a7f4b}
@media (prefers-color-scheme:dark){:root{--page:#12151a;--card:#1b1f26;--ink:#eceff4;--soft:#a3acba;--line:#323946;--bad:#ff8a80;--ok:#6fd6a0}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:38rem;padding:clamp(1.25rem,6vw,2.25rem);background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.status{margin:0;color:var(--soft)}
.status strong{color:var(--ink)}
h1{margin:.25rem 0 1.75rem;font-size:1.6rem;line-height:1.25;text-wrap:balance}
ol{display:flex;flex-wrap:wrap;gap:.75rem;list-style:none;margin:0 0 1.25rem;padding:0}
li{flex:1 1 6.5rem;padding-top:.6rem;border-top:3px solid var(--line)}
li b{display:block;font-weight:600}
li span{font-size:.875rem;color:var(--soft)}
.ok{border-color:var(--ok)}
.ok span{color:var(--ok)}
.bad{border-color:var(--bad)}
.bad span{color:var(--bad);font-weight:600}
.spared{border-top-style:dashed}
dl{margin:1.5rem 0 0;padding-top:1.25rem;border-top:1px solid var(--line);font-size:.875rem}
dl div{display:flex;gap:1rem}
dt{flex:0 0 5rem;color:var(--soft)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
code{font-family:ui-monospace,monospace}
`;

/** A body, cut where the request id goes. */
type Halves = readonly [before: Buffer, after: Buffer];

/** Every built-in body, made once: an error costs little more than its id. */
const bodies: ReadonlyMap<string, Readonly<Record<ErrorFormat, Halves>>> = new Map(
  Object.entries<ErrorDefinition>(errorCodes).map(([code, error]) => [
    code,
    { html: cut(htmlPage(code, error)), json: cut(jsonText(code, error)), text: cut(plainText(code, error)) },
  ]),
);

/**
 * The built-in body that tells a client of an error.
 * @param id a request id, which holds nothing that needs escaping
 */
export function errorBody(code: ErrorCode, format: ErrorFormat, id: Buffer): Buffer {
  const halves = bodies.get(code)?.[format];
  if (halves === undefined) throw new Error(`no body for the error ${code}`);
  return Buffer.concat([halves[0], id, halves[1]]);
}

function cut(text: string): Halves {
  const [before = '', after = ''] = text.split(idMark);
  return [Buffer.from(before), Buffer.from(after)];
}

function plainText(code: string, { status, title, side, explanation = blame[side] }: ErrorDefinition): string {
  return `${status} ${STATUS_CODES[status]}\n\n${title}\n${explanation}\n\nError: ${code}\nRequest id: ${idMark}\n`;
}

function jsonText(code: string, { status, title }: ErrorDefinition): string {
  return `${JSON.stringify({ error: { code, status, message: title, requestId: idMark } })}\n`;
}

function htmlPage(code: string, error: ErrorDefinition): string {
  const { status, title, side, explanation = blame[side], condition } = error;
  const broken = condition === undefined ? brokenHop[side] : hops.length - 1;
  const reason = escapeHtml(STATUS_CODES[status] ?? '');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${status} ${reason}</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="status"><strong>${status}</strong> ${reason}</p>
<h1>${escapeHtml(title)}</h1>
<ol aria-label="Where it failed">
${hops.map((hop, index) => hopItem(hop, index, broken, condition)).join('\n')}
</ol>
<p>${escapeHtml(explanation)}</p>
<dl>
<div><dt>Error</dt><dd><code>${escapeHtml(code)}</code></dd></div>
<div><dt>Request id</dt><dd><code>${idMark}</code></dd></div>
</dl>
</main>
</body>
</html>
`;
}

function hopItem(hop: string, index: number, broken: number, condition: string | undefined): string {
  if (index < broken) return `<li class="ok"><b>${hop}</b> <span>${index === 0 ? 'passed' : 'working'}</span></li>`;
  if (index > broken) return `<li class="spared"><b>${hop}</b> <span>not at fault</span></li>`;
  const words = condition ?? (broken === 0 ? 'refused' : 'failed');
  return `<li class="bad"><b>${hop}</b> <span>${words}</span></li>`;
}
