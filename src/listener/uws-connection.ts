import type { ConnectionInfo } from './exchange.ts';
import type { RemoteAddresses } from './remote-address.ts';
import type { UwsResponse } from './uws-api.ts';

/** Where a request came in. */
interface Listening {
  readonly address: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
}

/** What a peer is called that nobody asked for in time. Not '', which is one on a Unix socket and may be trusted. */
const unknownPeer = 'unknown';

/** The connection of one request. The peer's address and port are asked of the kernel when they are first read. */
export class UwsConnection implements ConnectionInfo {
  private readonly listening: Listening;
  private readonly addresses: RemoteAddresses;
  private readonly response: UwsResponse | undefined;
  private knownAddress: string | undefined = undefined;
  private knownPort: number | undefined = undefined;

  /** @param response undefined when it is dead */
  constructor(listening: Listening, addresses: RemoteAddresses, response: UwsResponse | undefined) {
    this.listening = listening;
    this.addresses = addresses;
    this.response = response;
  }

  get scheme(): 'http' | 'https' {
    return this.listening.scheme;
  }

  get localPort(): number {
    return this.listening.port;
  }

  get listener(): string {
    return this.listening.address;
  }

  get remoteAddress(): string {
    return (this.knownAddress ??= this.readAddress());
  }

  /** 0 where the build or the moment does not tell. */
  get remotePort(): number {
    return (this.knownPort ??= this.readPort());
  }

  private readAddress(): string {
    try {
      const bytes = this.response?.getRemoteAddress();
      return bytes === undefined ? unknownPeer : this.addresses.format(new Uint8Array(bytes));
    } catch {
      // The response is complete, and its native object dead.
      return unknownPeer;
    }
  }

  private readPort(): number {
    try {
      return this.response?.getRemotePort?.() ?? 0;
    } catch {
      return 0;
    }
  }
}
