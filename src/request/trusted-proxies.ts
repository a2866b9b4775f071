import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Addresses remembered with their verdict. A proxy in front has few; the bound is against made-up X-Forwarded-For ones. */
const maxRemembered = 1024;

interface Network {
  readonly bytes: readonly number[];
  readonly prefixBits: number;
}

/** The proxies in front whose word about the client is believed. */
export class TrustedProxies {
  /** Whether nobody is trusted; then nothing needs to be looked up. */
  readonly empty: boolean;
  private readonly unix: boolean;
  private readonly networks: readonly Network[];
  private readonly remembered = new Map<string, boolean>();

  /**
   * @param cidrs addresses, ranges such as `10.0.0.0/8`, or `unix` for peers on a Unix socket
   * @throws Error that names the entry which is none of these
   */
  constructor(cidrs: readonly string[]) {
    this.empty = cidrs.length === 0;
    this.unix = cidrs.includes('unix');
    this.networks = cidrs.filter((cidr) => cidr !== 'unix').map(parseNetwork);
  }

  /** @param address IPv4 or IPv6, or '' for a peer on a Unix socket; anything else is not trusted */
  has(address: string): boolean {
    if (this.empty) return false;
    if (address === '') return this.unix;
    let trusted = this.remembered.get(address);
    if (trusted === undefined) {
      trusted = this.lookUp(address);
      if (this.remembered.size >= maxRemembered) this.remembered.clear();
      this.remembered.set(address, trusted);
    }
    return trusted;
  }

  private lookUp(address: string): boolean {
    if (isIP(address) === 0) return false;
    const bytes = ipaddr.process(address).toByteArray();
    return this.networks.some((network) => contains(network, bytes));
  }
}

function parseNetwork(cidr: string): Network {
  try {
    // The parser alone would take `10.0.0` and `0x7f.1` too.
    if (isIP(cidr.replace(/\/\d+$/, '')) === 0) throw new Error('not an IP address');
    const [address, prefixBits] = cidr.includes('/') ? ipaddr.parseCIDR(cidr) : [ipaddr.parse(cidr), undefined];
    const bytes = address.toByteArray();
    // Peers on a dual-stack socket come in dotted form, so a mapped range is meant as the IPv4 one in it.
    if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && (prefixBits ?? 128) >= 96) {
      return { bytes: bytes.slice(12), prefixBits: (prefixBits ?? 128) - 96 };
    }
    return { bytes, prefixBits: prefixBits ?? bytes.length * 8 };
  } catch (cause) {
    throw new Error(`trustedProxies: ${JSON.stringify(cidr)} is neither an address, a CIDR range nor "unix"`, {
      cause,
    });
  }
}

/** Whether the address begins with the bits of the network; never for another family. */
function contains({ bytes, prefixBits }: Network, address: readonly number[]): boolean {
  if (bytes.length !== address.length) return false;
  const wholeBytes = prefixBits >> 3;
  for (let index = 0; index < wholeBytes; index++) {
    if (bytes[index] !== address[index]) return false;
  }
  const restBits = prefixBits & 7;
  if (restBits === 0) return true;
  const shift = 8 - restBits;
  return (bytes[wholeBytes] ?? 0) >> shift === (address[wholeBytes] ?? 0) >> shift;
}
