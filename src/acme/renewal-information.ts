import type { X509Certificate } from 'node:crypto';
import { AcmeError } from './acme-error.ts';
import type { AuthorityConnection } from './authority-connection.ts';
import type { RenewalWindow } from './renewal-time.ts';

const defaultPauseMs = 6 * 3_600_000;
const shortestPauseMs = 60_000;
const longestPauseMs = 24 * 3_600_000;
// authorityKeyIdentifier, 2.5.29.35 (RFC 5280 section 4.2.1.1), in DER.
const authorityKeyIdentifier = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x23, 0x04]);
const sequenceTag = 0x30;
const keyIdentifierTag = 0x80;

/** What an authority says about the renewal of a certificate (RFC 9773). */
export interface RenewalInformation {
  /** Undefined: it says nothing. */
  readonly window: RenewalWindow | undefined;
  /** A page that says why it is to be renewed earlier. */
  readonly explanation: string | undefined;
  /** Pause before it is asked again, milliseconds. */
  readonly pauseMs: number;
}

/** The name of a certificate there (RFC 9773 section 4.1); undefined for one that says nothing of its authority's key. */
export function renewalIdentifier(leaf: X509Certificate): string | undefined {
  const keyIdentifier = authorityKeyIdOf(leaf.raw);
  if (keyIdentifier === undefined) return undefined;
  const serial = Buffer.from(leaf.serialNumber, 'hex');
  const isNegative = (serial[0] ?? 0) >= 0x80;
  const integer = isNegative ? Buffer.concat([Buffer.from([0]), serial]) : serial;
  return `${keyIdentifier.toString('base64url')}.${integer.toString('base64url')}`;
}

/** Asks the authority when a certificate should be renewed. @throws AcmeError */
export async function askRenewalInformation(
  directoryUrl: string,
  leaf: X509Certificate,
  connection: AuthorityConnection,
): Promise<RenewalInformation> {
  const nothing = { window: undefined, explanation: undefined, pauseMs: longestPauseMs };
  const identifier = renewalIdentifier(leaf);
  if (identifier === undefined) return nothing;
  const { renewalInfo: base } = parse((await connection.get(directoryUrl)).body);
  if (typeof base !== 'string') return nothing;
  const { status, body, retryAfterMs = defaultPauseMs } = await connection.get(`${base}/${identifier}`);
  const pauseMs = Math.min(Math.max(retryAfterMs, shortestPauseMs), longestPauseMs);
  if (status !== 200) {
    throw new AcmeError('refused', `the authority answered ${status} when asked about renewal`, {
      retryAfterMs: pauseMs,
    });
  }
  const { suggestedWindow, explanationURL } = parse(body);
  const { start, end } = (suggestedWindow ?? {}) as { readonly start?: unknown; readonly end?: unknown };
  const window = { start: Date.parse(String(start)), end: Date.parse(String(end)) };
  if (!(window.start <= window.end)) throw new AcmeError('protocol', 'the authority suggested no time to renew at');
  return { window, explanation: typeof explanationURL === 'string' ? explanationURL : undefined, pauseMs };
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(body.toString()) as Record<string, unknown> | null) ?? {};
  } catch (cause) {
    throw new AcmeError('protocol', 'the authority answered no JSON when asked about renewal', { cause });
  }
}

/** Looks for `OID, OCTET STRING { SEQUENCE { [0] keyIdentifier … } }`, every length of which is one byte. */
function authorityKeyIdOf(raw: Buffer): Buffer | undefined {
  for (let at = raw.indexOf(authorityKeyIdentifier); at >= 0; at = raw.indexOf(authorityKeyIdentifier, at + 1)) {
    const value = raw.subarray(at + authorityKeyIdentifier.length + 1);
    const length = value[3] ?? 0;
    if (value[0] === sequenceTag && value[2] === keyIdentifierTag && length < 0x80)
      return value.subarray(4, 4 + length);
  }
  return undefined;
}
