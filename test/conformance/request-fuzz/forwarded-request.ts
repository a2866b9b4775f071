import type { StrictField, StrictRequest } from './strict-request.ts';

/* What of a request a server behind Portico has to see, and how a difference is told. */

/** End at a proxy (RFC 9110 section 7.6.1), or are its own to write. */
const ended = new Set([
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-real-ip',
  'x-request-id',
  'x-scheme',
]);
const written = new Set([
  'host',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'x-request-id',
  'content-length',
  'transfer-encoding',
]);

/** The client's fields that are passed on. */
function passedOn({ fields }: StrictRequest): StrictField[] {
  const named = fields
    .filter(([name]) => name === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((option) => option.trim());
  return fields.filter(
    ([name]) => !ended.has(name) && !name.startsWith('x-forwarded-') && !name.includes('_') && !named.includes(name),
  );
}

/**
 * What a server must see of that request, as text that can be compared.
 * @param address   of the client
 * @param localHost stands in for the host that HTTP/1.0 may leave out
 */
export function wanted(request: StrictRequest, address: string, localHost: string): string {
  return shown(request, request.host ?? localHost, passedOn(request), address);
}

/** What a server has seen, as text that can be compared. */
export function seen(request: StrictRequest): string {
  const passed = request.fields.filter(([name]) => !written.has(name));
  const clients = request.fields.filter(([name]) => name === 'x-forwarded-for' || name === 'x-real-ip');
  const [address = 'nobody'] = new Set(clients.map(([, value]) => value));
  const unanimous = clients.length === 2 && clients.every(([, value]) => value === address);
  return shown(request, request.host ?? '', passed, unanimous ? address : JSON.stringify(clients));
}

function shown(request: StrictRequest, host: string, fields: readonly StrictField[], address: string): string {
  return JSON.stringify([request.method, request.target, host, fields, request.body, address]);
}
