import { isUtf8 } from 'node:buffer';
import type { UpstreamTrace } from '../request/request-context.ts';
import { isoSeconds, perSecond } from './clock-text.ts';
import { clientAddress, clipField, type LineFormat, loggedStatus } from './line-format.ts';
import { safeText } from './safe-text.ts';

/**
 * One JSON object a line with every field there is; a field that would say nothing is left out. Times are milliseconds.
 * `status` is 499 when the client left before a response began; `upstream_status` is what the application said.
 */
export function createJsonFormat(): LineFormat {
  const utcTime = perSecond(isoSeconds);
  return (context, times, maxFieldLength) => {
    const { head, bytesSent, body, connection } = context.exchange;
    const fraction = Math.floor(times.time % 1000)
      .toString()
      .padStart(3, '0');
    let line = `{"time":"${utcTime(times.time)}.${fraction}Z"`;
    line += text('client', clientAddress(context), maxFieldLength);
    line += text('request_id', context.requestIdValue, maxFieldLength);
    line += text('method', head.method, maxFieldLength);
    line += text('target', head.target, maxFieldLength);
    line += text('protocol', head.protocol ?? 'HTTP/1.1', maxFieldLength);
    line += text('scheme', context.client?.scheme ?? connection.scheme, maxFieldLength);
    line += text('host', head.host, maxFieldLength);
    line += `,"status":${loggedStatus(context)},"bytes":${bytesSent},"request_bytes":${body.received}`;
    line += `,"duration_ms":${milliseconds(times.durationMs)}`;
    line += text('referer', head.fields.get('referer'), maxFieldLength);
    line += text('user_agent', head.fields.get('user-agent'), maxFieldLength);
    if (context.route !== undefined) {
      line += text('site', context.route.site, maxFieldLength) + text('route', context.route.name, maxFieldLength);
    }
    if (context.upstream !== undefined) line += upstreamFields(context.upstream, maxFieldLength);
    line += text('error', context.error?.code, maxFieldLength);
    return context.exchange.aborted ? `${line},"aborted":true}` : `${line}}`;
  };
}

function upstreamFields(trace: UpstreamTrace, maxFieldLength: number): string {
  let fields = text('upstream', trace.upstream, maxFieldLength) + text('server', trace.server, maxFieldLength);
  fields += `,"tries":${trace.tries}`;
  if (trace.status !== 0) fields += `,"upstream_status":${trace.status}`;
  if (trace.connectMs !== undefined) fields += `,"upstream_connect_ms":${milliseconds(trace.connectMs)}`;
  if (trace.headMs !== undefined) fields += `,"upstream_head_ms":${milliseconds(trace.headMs)}`;
  if (trace.totalMs !== undefined) fields += `,"upstream_total_ms":${milliseconds(trace.totalMs)}`;
  return fields;
}

/** To the microsecond. */
function milliseconds(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : 0;
}

const unsafe = /[^\x20-\x7e]|["\\]/;
// oxlint-disable-next-line no-control-regex
const wide = /[^\0-\xff]/;

function text(name: keyof AccessLogFields, value: string | undefined, maxLength: number): string {
  if (value === undefined || value === '') return '';
  const clipped = clipField(value, maxLength);
  return unsafe.test(clipped) ? `,"${name}":${quoted(clipped)}` : `,"${name}":"${clipped}"`;
}

/**
 * A JSON string of something a client sent: its bytes stand in the characters. Where they are UTF-8 they are read as
 * such; other bytes keep their Latin-1 characters, so that none is lost.
 */
function quoted(value: string): string {
  // A path of the operator's own may hold any character.
  if (wide.test(value)) return safeText(JSON.stringify(value));
  const bytes = Buffer.from(value, 'latin1');
  return safeText(JSON.stringify(isUtf8(bytes) ? bytes.toString('utf8') : value));
}

/** The text fields of a JSON line. */
interface AccessLogFields {
  client: string;
  request_id: string;
  method: string;
  target: string;
  protocol: string;
  scheme: string;
  host: string;
  referer: string;
  user_agent: string;
  site: string;
  route: string;
  upstream: string;
  server: string;
  error: string;
}
