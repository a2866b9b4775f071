import { commonLogTime, perSecond } from './clock-text.ts';
import { flat, KnownPieces } from './known-pieces.ts';
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
  const beginning = lineBeginnings();
  // Fields are looked at one by one: a request that was answered at a glance has not been read whole.
  return (context, times, maxFieldLength) => {
    const { head, bytesSent } = context.exchange;
    const { method, target, protocol } = head;
    let line = beginning(clientAddress(context), head.peek('authorization'), localTime(times.time));
    // As when the request was refused before it could be read.
    if (method === '' && target === '') line += '-" ';
    else {
      line += method === 'GET' ? 'GET ' : methods.of(method, maxFieldLength);
      line += targets.of(target, maxFieldLength);
      line += protocol === undefined ? ' HTTP/1.1" ' : ` ${protocol}" `;
    }
    line += `${loggedStatus(context)} ${bytesSent}`;
    line += referers.of(head.peek('referer'), maxFieldLength);
    return line + agents.of(head.peek('user-agent'), maxFieldLength);
  };
}

/** Makes what stands before the request line; a client's next request in the same second has the same. */
function lineBeginnings(): (address: string, authorization: string | undefined, time: string) => string {
  let lastAddress = '';
  let lastTime = '';
  let last = '';
  return (address, authorization, time) => {
    if (authorization !== undefined) return `${orDash(address)} - ${remoteUser(authorization)} [${time}] "`;
    if (time !== lastTime || address !== lastAddress) {
      last = flat(`${orDash(address)} - - [${time}] "`);
      lastTime = time;
      lastAddress = address;
    }
    return last;
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
