import { isUtf8 } from 'node:buffer';
import type { TunnelTrace, UpstreamTrace, WebSocketTrace } from '../request/request-context.ts';
import type { Route } from '../route/route.ts';
import { isoSeconds, perSecond } from './clock-text.ts';
import { flat, KnownPieces } from './known-pieces.ts';
import { clientAddress, clipField, type LineFormat, loggedStatus } from './line-format.ts';
import { safeText } from './safe-text.ts';

/**
 * One JSON object a line with every field there is; a field that would say nothing is left out. Times are milliseconds.
 * `status` is 499 when the client left before a response began; `upstream_status` is what the application said.
 */
export function createJsonFormat(): LineFormat {
  const utcTime = perSecond(isoSeconds);
  // The same few routes and servers come again and again: their part of the line is made once.
  const routes = new WeakMap<Route, string>();
  const servers = new Map<string, string>();
  const known = (name: string): KnownPieces => new KnownPieces((value, maxLength) => text(name, value, maxLength));
  const clients = known('client');
  const methods = known('method');
  const targets = known('target');
  const hosts = known('host');
  const referers = known('referer');
  const agents = known('user_agent');
  // Fields are looked at one by one: a request that was answered at a glance has not been read whole.
  return (context, times, maxFieldLength) => {
    const { head, bytesSent, body, connection } = context.exchange;
    let line = `{"time":"${utcTime(times.time)}.${thousandths[times.time % 1000]}Z"`;
    line += clients.of(clientAddress(context), maxFieldLength);
    // Made of letters, digits and a few signs, whoever chose it.
    line += `,"request_id":"${context.requestId}"`;
    line += methods.of(head.method, maxFieldLength);
    line += targets.of(head.target, maxFieldLength);
    line += head.protocol === undefined ? ',"protocol":"HTTP/1.1"' : `,"protocol":"${head.protocol}"`;
    line += (context.client?.scheme ?? connection.scheme) === 'http' ? ',"scheme":"http"' : ',"scheme":"https"';
    line += hosts.of(head.host, maxFieldLength);
    line += `,"status":${loggedStatus(context)},"bytes":${bytesSent},"request_bytes":${body.received}`;
    line += `,"duration_ms":${milliseconds(times.durationMs)}`;
    line += referers.of(head.peek('referer'), maxFieldLength);
    line += agents.of(head.peek('user-agent'), maxFieldLength);
    const { route, upstream, webSocket, tunnel, cache } = context;
    if (route !== undefined) line += remembered(routes, route, routeFields);
    if (upstream !== undefined) {
      if (servers.size > maxServers) servers.clear();
      line += remembered(servers, upstream.server, serverField) + upstreamFields(upstream);
    }
    if (webSocket !== undefined) line += webSocketFields(webSocket);
    if (tunnel !== undefined) line += tunnelFields(tunnel, maxFieldLength);
    if (cache !== undefined) {
      line += `,"cache":"${cache.result}","cache_zone":"${cache.zone}"`;
      if (cache.collapsed) line += ',"cache_collapsed":true';
    }
    if (context.coding !== undefined) line += `,"coding":"${context.coding}"`;
    if (context.error !== undefined) line += `,"error":"${context.error.code}"`;
    return context.exchange.aborted ? `${line},"aborted":true}` : `${line}}`;
  };
}

function webSocketFields({ messagesIn, messagesOut, bytesIn, closedBy, closeCode }: WebSocketTrace): string {
  const messages = `,"ws_messages_in":${messagesIn},"ws_messages_out":${messagesOut},"ws_bytes_in":${bytesIn}`;
  return `${messages},"ws_closed_by":"${closedBy}","ws_close_code":${closeCode}`;
}

function tunnelFields({ protocol, bytesIn, closedBy, closeReason }: TunnelTrace, maxFieldLength: number): string {
  const fields = `,"tunnel_bytes_in":${bytesIn},"tunnel_closed_by":"${closedBy}","tunnel_close_reason":"${closeReason}"`;
  return text('tunnel_protocol', protocol, maxFieldLength) + fields;
}

/** Server names come from the configuration, but a reload may bring others for ever. */
const maxServers = 1000;
/** What the operator named is not cut short, only kept from filling the line. */
const maxNameLength = 256;

interface Memory<K> {
  get(key: K): string | undefined;
  set(key: K, value: string): unknown;
}

function remembered<K>(memory: Memory<K>, key: K, make: (key: K) => string): string {
  let value = memory.get(key);
  if (value === undefined) {
    value = make(key);
    memory.set(key, value);
  }
  return value;
}

function routeFields(route: Route): string {
  return flat(text('site', route.site, maxNameLength) + text('route', route.name, maxNameLength));
}

function serverField(server: string): string {
  return text('server', server, maxNameLength);
}

function upstreamFields(trace: UpstreamTrace): string {
  // The schema lets no character into an upstream's name that JSON would escape.
  let fields = `,"upstream":"${trace.upstream}","tries":${trace.tries}`;
  if (trace.status !== 0) fields += `,"upstream_status":${trace.status}`;
  if (trace.connectMs !== undefined) fields += `,"upstream_connect_ms":${milliseconds(trace.connectMs)}`;
  if (trace.headMs !== undefined) fields += `,"upstream_head_ms":${milliseconds(trace.headMs)}`;
  if (trace.totalMs !== undefined) fields += `,"upstream_total_ms":${milliseconds(trace.totalMs)}`;
  return fields;
}

const thousandths = Array.from({ length: 1000 }, (_, value) => value.toString().padStart(3, '0'));

/** To the microsecond. Put together from integers: turning a fraction into text takes ten times as long. */
function milliseconds(value: number): string {
  const microseconds = value > 0 && value < 1e12 ? Math.round(value * 1000) : 0;
  return `${Math.floor(microseconds / 1000)}.${thousandths[microseconds % 1000]}`;
}

const unsafe = /[^\x20-\x7e]|["\\]/;
// oxlint-disable-next-line no-control-regex
const wide = /[^\0-\xff]/;

function text(name: string, value: string | undefined, maxLength: number): string {
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
