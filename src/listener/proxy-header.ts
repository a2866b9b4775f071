import { isIPv4, isIPv6 } from 'node:net';

/** Who has connected to the proxy in front. */
export interface ProxiedPeer {
  readonly address: string;
  readonly port: number;
}

/** A PROXY protocol header that was read. */
export interface ProxyHeader {
  /** Bytes that it takes. */
  readonly length: number;
  /** Undefined when the connection is the proxy's own, such as a health check, or of a kind that has no IP addresses. */
  readonly peer: ProxiedPeer | undefined;
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const begin = Buffer.from('PROXY ', 'latin1');
/** Bytes of a line with its CR LF (version 1). */
const longestLine = 107;
/** Bytes of addresses and TLVs that are taken (version 2); load balancers send some hundred. */
const longestPayload = 4096;
const fixedBytes = 16;
const portForm = /^(?:0|[1-9]\d{0,4})$/;

/**
 * Reads the header of the PROXY protocol, version 1 or 2, from the beginning of a connection (HAProxy, "The PROXY protocol",
 * section 2), strictly.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (startsLike(bytes, signature)) return bytes.length < fixedBytes ? 'incomplete' : readBinary(bytes);
  if (startsLike(bytes, begin)) return readLine(bytes);
  return 'malformed';
}

/** Whether the bytes, as far as they are there, are those. */
function startsLike(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length);
  return bytes.compare(expected, 0, length, 0, length) === 0;
}

/** Version 1, section 2.1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443` and CR LF. */
function readLine(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n');
  if (end < 0) return bytes.length < longestLine ? 'incomplete' : 'malformed';
  const length = end + 2;
  const [, family, source = '', target = '', sourcePort = '', targetPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { length, peer: undefined };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined || more.length > 0) return 'malformed';
  // A zone has no meaning on another machine.
  if (!isAddress(source) || !isAddress(target) || source.includes('%') || target.includes('%')) return 'malformed';
  if (!isPort(sourcePort) || !isPort(targetPort)) return 'malformed';
  return { length, peer: { address: plain(source), port: Number(sourcePort) } };
}

/** Version 2, section 2.2. */
function readBinary(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const payload = bytes.readUInt16BE(14);
  if ((command !== 0x20 && command !== 0x21) || payload > longestPayload) return 'malformed';
  const length = fixedBytes + payload;
  if (bytes.length < length) return 'incomplete';
  // LOCAL, or no addresses: what the proxy has to say of them does not count.
  if (command === 0x20 || family === 0x00) return { length, peer: undefined };
  if (family === 0x11 && payload >= 12) {
    return { length, peer: { address: bytes.subarray(16, 20).join('.'), port: bytes.readUInt16BE(24) } };
  }
  if (family === 0x21 && payload >= 36) {
    return { length, peer: { address: plain(ipv6Text(bytes.subarray(16, 32))), port: bytes.readUInt16BE(48) } };
  }
  // Unix sockets.
  return family === 0x31 && payload >= 216 ? { length, peer: undefined } : 'malformed';
}

function isPort(text: string): boolean {
  return portForm.test(text) && Number(text) <= 65_535;
}

function ipv6Text(bytes: Buffer): string {
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) groups.push(bytes.readUInt16BE(index).toString(16));
  // As everybody else writes it: the longest run of zeros left out (RFC 5952).
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** IPv4 within IPv6 in dotted form. */
function plain(address: string): string {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (mapped === null) return address.replace(/^::ffff:(?=\d+\.)/i, '');
  const words = [mapped[1], mapped[2]].map((word = '') => Number.parseInt(word, 16));
  return words.flatMap((word) => [word >> 8, word & 0xff]).join('.');
}
