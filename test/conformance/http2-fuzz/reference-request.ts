import {
  fieldsFault,
  hostFault,
  isBadPath,
  type StrictField,
  type StrictRequest,
  targetFault,
} from '../request-fuzz/strict-request.ts';
import type { ReferenceField } from './reference-hpack.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const fieldValue = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const ofConnections = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const ofRequests = [':method', ':scheme', ':authority', ':path'];
const mostBody = 100 * 1024 ** 2;

/**
 * The request whose head these fields are (RFC 9113 section 8.3), as HTTP/1.1 would say it; its body is empty.
 * @param ends whether no body follows
 * @returns undefined when it is malformed, or asks for what nobody does
 */
export function requestOf(fields: readonly ReferenceField[], ends: boolean): StrictRequest | undefined {
  const firstField = fields.findIndex(([name]) => !name.startsWith(':'));
  const front = firstField < 0 ? fields : fields.slice(0, firstField);
  const rest = firstField < 0 ? [] : fields.slice(firstField);
  const pseudo = new Map(front);
  if (pseudo.size < front.length || front.some(([name]) => !ofRequests.includes(name))) return undefined;
  if (rest.some(isMalformed)) return undefined;
  const [method = '', scheme, authority, target = ''] = ofRequests.map((name) => pseudo.get(name));
  const hostField = rest.find(([name]) => name === 'host')?.[1].toLowerCase();
  const host = authority?.toLowerCase() ?? hostField;
  if (!token.test(method) || method === 'CONNECT' || scheme !== 'https' || targetFault(target) !== undefined)
    return undefined;
  if (host === undefined || hostFault(host) !== undefined || (hostField !== undefined && hostField !== host))
    return undefined;
  const all = withOneCookie(hostField === undefined ? [['host', host], ...rest] : rest);
  if (fieldsFault(all, 1) !== undefined) return undefined;
  const length = Number(all.find(([name]) => name === 'content-length')?.[1] ?? 0);
  if ((ends && length > 0) || length > mostBody) return undefined;
  return { method, target, minorVersion: 1, host, fields: all, body: '', close: false, badPath: isBadPath(target) };
}

function isMalformed([name, value]: ReferenceField): boolean {
  if (!fieldName.test(name) || !fieldValue.test(value) || ofConnections.has(name)) return true;
  return name === 'te' && value.toLowerCase() !== 'trailers';
}

/** Crumbs of cookies become one field, where the first of them stood (RFC 9113 section 8.2.3). */
function withOneCookie(fields: readonly StrictField[]): StrictField[] {
  const crumbs = fields.filter(([name]) => name === 'cookie').map(([, value]) => value);
  const first = fields.findIndex(([name]) => name === 'cookie');
  return fields
    .map(([name, value], at) => [name, at === first ? crumbs.join('; ').trimEnd() : value] as const)
    .filter(([name], at) => name !== 'cookie' || at === first);
}
