import { commonLogTime, perSecond } from './clock-text.ts';
import { KnownPieces } from './known-pieces.ts';
import { clientAddress, clipField, type LineFormat, loggedStatus } from './line-format.ts';

/**
 * The combined format of NGINX and Apache, byte for byte:
 * `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`.
 * Quotes, backslashes, control characters and bytes from 0x7f up are written as `\xHH`, as NGINX does, so that no client
 * can forge a field or a line.
 */
export function createCombinedFormat(): LineFormat {
  const localTime = perSecond(commonLogTime);
  const methods = new KnownPieces((value, maxLength) => `${quotable(value, maxLength)} `);
  const targets = new KnownPieces(quotable);
  const referers = new KnownPieces((value, maxLength) => ` "${quotable(value, maxLength)}" "`);
  const agents = new KnownPieces((value, maxLength) => `${quotable(value, maxLength)}"`);
  // Fields are looked at one by one: a request that was answered at a glance has not been read whole.
  return (context, times, maxFieldLength) => {
    const { head, bytesSent } = context.exchange;
    const { method, target, protocol = 'HTTP/1.1' } = head;
    const authorization = head.peek('authorization');
    const user = authorization === undefined ? '-' : remoteUser(authorization);
    let line = `${orDash(clientAddress(context))} - ${user} [${localTime(times.time)}] "`;
    // As when the request was refused before it could be read.
    if (method === '' && target === '') line += '-" ';
    else line += `${methods.of(method, maxFieldLength)}${targets.of(target, maxFieldLength)} ${protocol}" `;
    line += `${loggedStatus(context)} ${bytesSent}${referers.of(head.peek('referer'), maxFieldLength)}`;
    return line + agents.of(head.peek('user-agent'), maxFieldLength);
  };
}

/** The user name of Basic authentication (RFC 7617), whoever checks it. NGINX: `$remote_user`. */
function remoteUser(authorization: string): string {
  if (!/^basic /i.test(authorization)) return '-';
  const credentials = Buffer.from(authorization.slice(6, 6 + 1024), 'base64').toString('latin1');
  const colon = credentials.indexOf(':');
  if (colon < 1) return '-';
  // A space would shift the fields that follow; NGINX leaves it, but what splits at spaces must not be led astray.
  return clipField(escapeBytes(credentials.slice(0, colon)), 256).replaceAll(' ', '\\x20');
}

function quotable(value: string, maxLength: number): string {
  return value === '' ? '-' : escapeBytes(clipField(value, maxLength));
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
