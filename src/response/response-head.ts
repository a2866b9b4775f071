import { STATUS_CODES } from 'node:http';

/**
 * A response's status and fields, serialised: `200 OK\r\nname: value\r\nname: value`, without the version before and the
 * empty line behind, without Date, Content-Length, Transfer-Encoding, Connection or any other hop-by-hop field: framing
 * is the engine's. One block of bytes, because one native call a response is what makes it fast.
 */
export class ResponseHead {
  readonly status: number;
  /** Bytes as on the wire. The engine has read them when `respond`, `respondHead` or `stream` returns. */
  readonly block: Buffer;

  constructor(status: number, block: Buffer) {
    this.status = status;
    this.block = block;
  }

  /** A head with further lines behind it: `suffix` is as made by `serializeFields`. */
  with(suffix: Buffer): ResponseHead {
    if (suffix.length === 0) return this;
    return new ResponseHead(this.status, Buffer.concat([this.block, suffix]));
  }
}

/** The fields as `\r\nname: value` lines, to append to a head's block. Throws on a CR, LF or NUL in them. */
export function serializeFields(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  let lines = '';
  for (const [name, value] of fields) {
    assertFieldName(name);
    assertFieldValue(value);
    lines += `\r\n${name}: ${value}`;
  }
  return Buffer.from(lines, 'latin1');
}

/**
 * @param fields values are Latin-1 strings, one character a byte
 * @param reason the standard phrase when left out
 */
export function responseHead(
  status: number,
  fields: readonly (readonly [name: string, value: string])[],
  reason: string = STATUS_CODES[status] ?? 'Unknown',
): ResponseHead {
  const line = Buffer.from(`${status} ${reason}`, 'latin1');
  return new ResponseHead(status, Buffer.concat([line, serializeFields(fields)]));
}

// RFC 9110 section 5.6.2: token.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 section 5.5: no CR, LF, NUL, nor a character that is not one byte.
// oxlint-disable-next-line no-control-regex
const unsafeValue = /[\0\r\n]|[^\0-\xff]/;

function assertFieldName(name: string): void {
  if (!token.test(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
}

function assertFieldValue(value: string): void {
  if (unsafeValue.test(value)) throw new TypeError(`not a field value: ${JSON.stringify(value)}`);
}
