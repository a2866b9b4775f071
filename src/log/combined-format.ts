import type { RequestContext } from '../request/request-context.ts';
import { commonLogTime, perSecond } from './clock-text.ts';
import { clientAddress, clipField, type LineFormat, loggedStatus } from './line-format.ts';

/**
 * The combined format of NGINX and Apache, byte for byte:
 * `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`.
 * Quotes, backslashes, control characters and bytes from 0x7f up are written as `\xHH`, as NGINX does, so that no client
 * can forge a field or a line.
 */
export function createCombinedFormat(): LineFormat {
  const localTime = perSecond(commonLogTime);
  return (context, times, maxFieldLength) => {
    const { head, bytesSent } = context.exchange;
    const referer = quotable(head.fields.get('referer'), maxFieldLength);
    const agent = quotable(head.fields.get('user-agent'), maxFieldLength);
    return `${orDash(clientAddress(context))} - ${remoteUser(context)} [${localTime(times.time)}] "${requestLine(context, maxFieldLength)}" ${loggedStatus(context)} ${bytesSent} "${referer}" "${agent}"`;
  };
}

/** The request line as it came; `-` when the request was refused before it could be read. */
function requestLine(context: RequestContext, maxLength: number): string {
  const { method, target, protocol = 'HTTP/1.1' } = context.exchange.head;
  if (method === '' && target === '') return '-';
  return `${quotable(method, maxLength)} ${quotable(target, maxLength)} ${protocol}`;
}

/** The user name of Basic authentication (RFC 7617), whoever checks it. NGINX: `$remote_user`. */
function remoteUser(context: RequestContext): string {
  const authorization = context.exchange.head.fields.get('authorization');
  if (authorization === undefined || !/^basic /i.test(authorization)) return '-';
  const credentials = Buffer.from(authorization.slice(6, 6 + 1024), 'base64').toString('latin1');
  const colon = credentials.indexOf(':');
  if (colon < 1) return '-';
  // A space would shift the fields that follow; NGINX leaves it, but what splits at spaces must not be led astray.
  return clipField(escapeBytes(credentials.slice(0, colon)), 256).replaceAll(' ', '\\x20');
}

function quotable(value: string | undefined, maxLength: number): string {
  return value === undefined || value === '' ? '-' : escapeBytes(clipField(value, maxLength));
}

const unsafe = /[^\x20-\x7e]|["\\]/;
const everyUnsafe = /[^\x20-\x7e]|["\\]/g;

/** @param text one character a byte */
function escapeBytes(text: string): string {
  if (!unsafe.test(text)) return text;
  return text.replace(everyUnsafe, (character) => {
    return `\\x${(character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function orDash(text: string): string {
  return text === '' ? '-' : text;
}
