const maxKnownHosts = 4096;
/** A name (RFC 1035) and a port. */
const maxKnownLength = 260;

// RFC 9110 section 7.2, with the host narrowed to names (also with underscores, as container names have) and addresses: no user information, no escapes.
const hostAndPort = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([0-9]{0,5}))?$/;

/** Turns Host fields into what they ask for, and remembers it: the same few come with every request. */
export class HostNames {
  /** That of the request before, which is that of most. */
  #latest = '';
  #latestName = '';
  /** Further ones that were found valid. Clients may make them up: when it is full it starts anew. */
  readonly #known = new Map<string, string>();

  /** @returns the host in lower case; undefined for one that is not valid */
  nameOf(host: string): string | undefined {
    if (host === this.#latest && host !== '') return this.#latestName;
    const name = this.#known.get(host) ?? this.#learn(host);
    if (name === undefined) return undefined;
    this.#latest = host;
    this.#latestName = name;
    return name;
  }

  #learn(host: string): string | undefined {
    const name = host.toLowerCase();
    if (!isHost(name)) return undefined;
    if (host.length > maxKnownLength) return name;
    if (this.#known.size >= maxKnownHosts) this.#known.clear();
    this.#known.set(host, name);
    return name;
  }
}

/** @param host in lower case */
function isHost(host: string): boolean {
  const match = hostAndPort.exec(host);
  if (match === null) return false;
  return match[1] === undefined || Number(match[1]) <= 65_535;
}
