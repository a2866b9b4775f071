/** What a connection begins with, as far as a server has to know it before its handshake. */
export interface ClientHello {
  /** The host that the client asks for (SNI, RFC 6066 section 3), as it wrote it; undefined when it names none. */
  readonly serverName: string | undefined;
  /** The protocols that it offers (ALPN, RFC 7301 section 3.1), best first; none when it does not say. */
  readonly protocols: readonly string[];
}

const handshakeRecord = 22;
const clientHelloMessage = 1;
const serverNameExtension = 0;
const protocolsExtension = 16;
const hostName = 0;
const recordHeader = 5;
/** Browsers send 2 KB. */
const longest = 64 * 1024;

/**
 * Reads a ClientHello (RFC 8446 sections 4.1.2 and 5.1) and looks at nothing but the name and the protocols: whether it is one in every other way
 * is for the TLS library to say.
 * @param bytes from the beginning of the connection on
 * @returns 'incomplete' as long as it may become one; 'none' for anything else
 */
export function readClientHello(bytes: Buffer): ClientHello | 'incomplete' | 'none' {
  const message = messageIn(bytes);
  if (typeof message === 'string') return message;
  const reader = new Reader(message);
  // Version and random; session, cipher suites, compression.
  reader.skip(2 + 32);
  reader.take(1);
  reader.take(2);
  reader.take(1);
  const extensions = new Reader(reader.take(2));
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  while (extensions.left > 0 && !extensions.failed) {
    const type = extensions.number(2);
    const body = extensions.take(2);
    if (type === serverNameExtension) serverName = nameIn(new Reader(body));
    else if (type === protocolsExtension) protocols = protocolsIn(new Reader(body));
  }
  return { serverName, protocols };
}

/** The message without its header, put together from as many records as it takes. */
function messageIn(bytes: Buffer): Buffer | 'incomplete' | 'none' {
  const pieces: Buffer[] = [];
  let got = 0;
  let wanted = 4;
  for (let at = 0; got < wanted; ) {
    if (at >= longest) return 'none';
    if (bytes.length > at && bytes[at] !== handshakeRecord) return 'none';
    if (bytes.length < at + recordHeader) return 'incomplete';
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0) return 'none';
    const piece = bytes.subarray(at + recordHeader, at + recordHeader + length);
    pieces.push(piece);
    got += piece.length;
    if (wanted === 4 && got >= 4) {
      const head = Buffer.concat(pieces);
      if (head[0] !== clientHelloMessage) return 'none';
      wanted += head.readUIntBE(1, 3);
      if (wanted > longest) return 'none';
    }
    if (got < wanted && piece.length < length) return 'incomplete';
    at += recordHeader + length;
  }
  return Buffer.concat(pieces).subarray(4, wanted);
}

function nameIn(list: Reader): string | undefined {
  const names = new Reader(list.take(2));
  while (names.left > 0 && !names.failed) {
    const type = names.number(1);
    const name = names.take(2);
    if (type === hostName && name.length > 0) return name.toString('latin1');
  }
  return undefined;
}

function protocolsIn(list: Reader): readonly string[] {
  const reader = new Reader(list.take(2));
  const protocols: string[] = [];
  while (reader.left > 0) {
    const protocol = reader.take(1);
    if (reader.failed) return [];
    protocols.push(protocol.toString('latin1'));
  }
  return protocols;
}

/** Reads on and on; beyond the end there is nothing. */
class Reader {
  failed = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(count: number): void {
    if (count > this.left) this.failed = true;
    this.#at = Math.min(this.#bytes.length, this.#at + count);
  }

  number(size: 1 | 2): number {
    const at = this.#at;
    this.skip(size);
    return this.failed ? 0 : this.#bytes.readUIntBE(at, size);
  }

  /** What stands behind its length, a number of that size. */
  take(size: 1 | 2): Buffer {
    const length = this.number(size);
    const at = this.#at;
    this.skip(length);
    return this.failed ? Buffer.alloc(0) : this.#bytes.subarray(at, at + length);
  }
}
