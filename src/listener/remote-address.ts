const cachedAddresses = 4096;

/** Turns the bytes of peers' addresses into text, as they come in every request from the same few peers. */
export class RemoteAddresses {
  readonly #ipv4 = new Map<number, string>();

  /** @param bytes 4 or 16 of them, or none for a Unix socket */
  format(bytes: Uint8Array): string {
    if (bytes.length === 4) return this.#formatIpv4(bytes, 0);
    if (bytes.length !== 16) return '';
    return isIpv4Mapped(bytes) ? this.#formatIpv4(bytes, 12) : formatIpv6(bytes);
  }

  #formatIpv4(bytes: Uint8Array, at: number): string {
    const [a, b, c, d] = [bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0];
    const key = a * 0x1_00_00_00 + (b << 16) + (c << 8) + d;
    const known = this.#ipv4.get(key);
    if (known !== undefined) return known;
    if (this.#ipv4.size >= cachedAddresses) this.#ipv4.clear();
    const text = `${a}.${b}.${c}.${d}`;
    this.#ipv4.set(key, text);
    return text;
  }
}

/** An IPv4 peer of a socket that listens on both families (RFC 4291 section 2.5.5.2). */
function isIpv4Mapped(bytes: Uint8Array): boolean {
  for (let index = 0; index < 10; index += 1) if (bytes[index] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Canonical text (RFC 5952): no leading zeros, the longest run of zero groups as `::`. */
function formatIpv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push((((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16));
  }
  let bestStart = 0;
  let bestLength = 0;
  for (let start = 0; start < 8; start += 1) {
    let end = start;
    while (end < 8 && groups[end] === '0') end += 1;
    if (end - start > bestLength) [bestStart, bestLength] = [start, end - start];
  }
  if (bestLength < 2) return groups.join(':');
  return `${groups.slice(0, bestStart).join(':')}::${groups.slice(bestStart + bestLength).join(':')}`;
}
