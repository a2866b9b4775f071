import { ChildServer } from './child-server.ts';
import type { Upstream } from './contender.ts';
import { freePort } from './free-port.ts';
import type { WorkFolder } from './work-folder.ts';

/** Starts the application behind all servers: an NGINX that answers from memory, over TCP and a Unix socket. */
export async function startUpstream(folder: WorkFolder): Promise<{ upstream: Upstream; server: ChildServer }> {
  const upstream = { port: await freePort(), socketPath: `${folder.path}/upstream.sock` };
  const configuration = folder.writeConfiguration('rivals/upstream.conf', {
    UPSTREAM_PORT: upstream.port,
    UPSTREAM_SOCKET: upstream.socketPath,
    BYTES128: 'u'.repeat(128),
    KILOBYTE: 'v'.repeat(1024),
  });
  const server = await ChildServer.start({
    name: 'the upstream NGINX',
    command: 'nginx',
    args: ['-e', 'stderr', '-c', configuration],
    port: upstream.port,
  });
  return { upstream, server };
}
