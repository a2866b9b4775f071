/**
 * Finds what belongs to a host: by its exact name, then by the longest `*.` pattern that ends it, then the default.
 * The port and a trailing dot do not count; a pattern takes names of any depth but not the bare domain.
 */
export class HostTable<T> {
  private readonly exact = new Map<string, T>();
  /** By what follows the star: `.example.com`. */
  private readonly wildcards = new Map<string, T>();
  private fallback: T | undefined;

  /** @param host as in the configuration: lower case, without a port, ASCII; `*.` in front for every name below */
  add(host: string, value: T): void {
    if (host.startsWith('*.')) this.wildcards.set(host.slice(1), value);
    else this.exact.set(host, value);
  }

  /** Takes every host that nothing else takes. */
  addDefault(value: T): void {
    this.fallback = value;
  }

  /** @param host as in `RequestHead.host`: lower case, perhaps with a port */
  find(host: string): T | undefined {
    if (this.exact.size === 0 && this.wildcards.size === 0) return this.fallback;
    const name = bareHost(host);
    return this.exact.get(name) ?? this.findWildcard(name) ?? this.fallback;
  }

  private findWildcard(name: string): T | undefined {
    if (this.wildcards.size === 0) return undefined;
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const found = this.wildcards.get(name.slice(dot));
      // `*.example.com` does not take `.example.com`.
      if (found !== undefined && dot > 0) return found;
    }
    return undefined;
  }
}

const colonCode = 0x3a;
const dotCode = 0x2e;

/** The host without its port and trailing dot; the string itself when it has neither. */
function bareHost(host: string): string {
  const { length } = host;
  let end = length;
  // A port has five digits at most; the last colon of an IPv6 address stands before its bracket, which is no digit.
  for (let at = length - 1; at >= 0 && at >= length - 6; at--) {
    const code = host.charCodeAt(at);
    if (code === colonCode) end = at;
    else if (code >= 0x30 && code <= 0x39) continue;
    break;
  }
  if (host.charCodeAt(end - 1) === dotCode) end -= 1;
  return end === length ? host : host.slice(0, end);
}
