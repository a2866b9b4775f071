import { createServer, type Server } from 'node:net';
import type { ListenAddress } from '../config/config.ts';

/** An address that cannot be listened on. The message is one line for the operator and says what to do. */
export class AddressError extends Error {
  readonly address: string;

  constructor(address: string, message: string) {
    super(message);
    this.name = 'AddressError';
    this.address = address;
  }
}

/** An address to be tried, and for what. */
export interface WantedAddress {
  readonly listener: ListenAddress;
  /** Where it stands in the configuration: `listen`, `admin.address`. */
  readonly key: string;
}

/**
 * Opens every address for itself alone and closes it again, before any worker does. Workers share their port
 * (SO_REUSEPORT), so that they alone would not notice another Portico of the same user on it and split its traffic.
 * All are held until the last one is open: two keys with the same address are found too.
 *
 * @returns the addresses in the same order, a free port in the place of 0
 * @throws AddressError for the first one that cannot be opened
 */
export async function reservePorts(wanted: readonly WantedAddress[]): Promise<ListenAddress[]> {
  const held: Server[] = [];
  try {
    const reserved: ListenAddress[] = [];
    for (const { listener, key } of wanted) {
      const server = await hold(listener, key);
      held.push(server);
      reserved.push({ ...listener, port: portOf(server) });
    }
    return reserved;
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function hold(listener: ListenAddress, key: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new AddressError(listener.address, `${key}: ${explain(error, listener)}`));
    });
    const host = listener.host === undefined ? {} : { host: listener.host };
    server.listen({ ...host, port: listener.port, exclusive: true }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function explain(error: NodeJS.ErrnoException, { address, host, port }: ListenAddress): string {
  const cannot = `cannot listen on ${address}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${cannot}: the port is in use (another Portico, or another server; "ss -ltnp sport = :${port}" shows which). Stop it or choose another port`;
    case 'EACCES':
    case 'EPERM':
      return port < 1024
        ? `${cannot}: ports below 1024 need a privilege. Choose a port from 1024 on, or allow it with "setcap cap_net_bind_service=+ep" on the node binary (in a container: sysctl net.ipv4.ip_unprivileged_port_start=0)`
        : `${cannot}: permission denied`;
    case 'EADDRNOTAVAIL':
      return `${cannot}: ${host} is no address of this machine ("ip address" shows them). 0.0.0.0 takes all of them`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${cannot}: the name ${host} does not resolve to an address`;
    case 'EAFNOSUPPORT':
      return `${cannot}: this machine has no ${host?.includes(':') === true ? 'IPv6' : 'IPv4'}`;
    default:
      return `${cannot}: ${error.message}`;
  }
}
