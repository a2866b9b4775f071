import type { StoredResponse, VaryMarker } from '../stored-response.ts';

/** What the head of an entry file says. */
export type StoredHead =
  | { readonly kind: 'response'; readonly storeKey: string; readonly response: StoredResponse }
  | { readonly kind: 'marker'; readonly storeKey: string; readonly marker: VaryMarker };

/** The fields as a list: shorter than with names, and quickly parsed. Another order or number is another version of the format. */
type ResponseFields = [
  key: string,
  variant: string,
  status: number,
  bodyLength: number,
  requestTime: number,
  responseTime: number,
  date: number,
  initialAge: number,
  lifetime: number,
  staleWhileRevalidate: number,
  staleIfError: number,
  mustRevalidate: boolean,
  alwaysRevalidate: boolean,
  etag: string | null,
  lastModified: number | null,
  tags: readonly string[],
  decidedBy: string,
];

/** Length of the JSON text, then the text, then the block. */
export function encodeHead(head: StoredHead): Buffer {
  if (head.kind === 'marker') {
    const { key, names, requestTime } = head.marker;
    return join(Buffer.from(JSON.stringify([head.storeKey, key, names, requestTime])), undefined);
  }
  return join(Buffer.from(JSON.stringify([head.storeKey, fieldsOf(head.response)])), head.response.block);
}

/** @returns undefined for what is no head: never throws, whatever the bytes are */
export function decodeHead(bytes: Buffer): StoredHead | undefined {
  if (bytes.length < 4) return undefined;
  const end = 4 + bytes.readUInt32LE(0);
  if (end > bytes.length) return undefined;
  try {
    const list = JSON.parse(bytes.toString('utf8', 4, end)) as unknown[];
    const storeKey = list[0] as string;
    if (list.length === 4) {
      const [, key, names, requestTime] = list as [string, string, readonly string[], number];
      return { kind: 'marker', storeKey, marker: { key, names, requestTime } };
    }
    if (list.length !== 2) return undefined;
    return { kind: 'response', storeKey, response: responseOf(list[1] as ResponseFields, bytes.subarray(end)) };
  } catch {
    return undefined;
  }
}

function join(text: Buffer, block: Buffer | undefined): Buffer {
  const bytes = Buffer.allocUnsafe(4 + text.length + (block?.length ?? 0));
  bytes.writeUInt32LE(text.length, 0);
  text.copy(bytes, 4);
  block?.copy(bytes, 4 + text.length);
  return bytes;
}

function fieldsOf(response: StoredResponse): ResponseFields {
  return [
    response.key,
    response.variant,
    response.status,
    response.bodyLength,
    response.requestTime,
    response.responseTime,
    response.date,
    response.initialAge,
    response.lifetime,
    response.staleWhileRevalidate,
    response.staleIfError,
    response.mustRevalidate,
    response.alwaysRevalidate,
    response.etag ?? null,
    response.lastModified ?? null,
    response.tags,
    response.decidedBy,
  ];
}

function responseOf(fields: ResponseFields, block: Buffer): StoredResponse {
  return {
    key: fields[0],
    variant: fields[1],
    status: fields[2],
    block,
    bodyLength: fields[3],
    requestTime: fields[4],
    responseTime: fields[5],
    date: fields[6],
    initialAge: fields[7],
    lifetime: fields[8],
    staleWhileRevalidate: fields[9],
    staleIfError: fields[10],
    mustRevalidate: fields[11],
    alwaysRevalidate: fields[12],
    etag: fields[13] ?? undefined,
    lastModified: fields[14] ?? undefined,
    tags: fields[15],
    decidedBy: fields[16],
  };
}
