import type { OutgoingHttpHeaders } from 'node:http2';
import type { ResponseHead } from '../response/response-head.ts';

/** A response's fields for HTTP/2: names in lower case, a field that comes several times as a list. Date is added by Node. */
export function responseFields({ status, block }: ResponseHead): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = { ':status': status };
  const text = block.toString('latin1');
  let position = text.indexOf('\r\n');
  while (position >= 0) {
    const start = position + 2;
    const next = text.indexOf('\r\n', start);
    const line = next < 0 ? text.slice(start) : text.slice(start, next);
    const colon = line.indexOf(':');
    if (colon > 0) add(fields, line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    position = next;
  }
  return fields;
}

function add(fields: OutgoingHttpHeaders, name: string, value: string): void {
  const former = fields[name];
  if (former === undefined) fields[name] = value;
  else if (Array.isArray(former)) former.push(value);
  else fields[name] = [String(former), value];
}
