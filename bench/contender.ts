import { ChildServer, type Command } from './child-server.ts';
import { freePort } from './free-port.ts';
import type { WorkFolder } from './work-folder.ts';

/** Where the application behind the servers listens. */
export interface Upstream {
  readonly port: number;
  readonly socketPath: string;
}

/** One of the servers that are compared. */
export interface Contender {
  /** As in `--only`. */
  readonly name: string;
  /** Heading of its column. */
  readonly title: string;
  readonly servesFiles: boolean;
  /** Whether a child process serves; otherwise the first process does, whatever helpers it starts. */
  readonly forks: boolean;
  /** Command that prints its version, and how to find it in the output. */
  readonly version: { readonly command: string; readonly args: readonly string[]; readonly pattern: RegExp };
  /** Starts it with one worker, on a free port. */
  start(folder: WorkFolder, upstream: Upstream): Promise<ChildServer>;
}

/** A server whose configuration is a template in `rivals/`. */
function rival(
  facts: Omit<Contender, 'start'>,
  template: string,
  command: (configuration: string) => Omit<Command, 'name' | 'port'>,
): Contender {
  return {
    ...facts,
    start: async (folder, upstream) => {
      const port = await freePort();
      const configuration = folder.writeConfiguration(template, {
        PORT: port,
        UPSTREAM_PORT: upstream.port,
        UPSTREAM_SOCKET: upstream.socketPath,
      });
      return ChildServer.start({ name: facts.title, port, ...command(configuration) });
    },
  };
}

const nginx = rival(
  {
    name: 'nginx',
    title: 'NGINX',
    servesFiles: true,
    forks: true,
    version: { command: 'nginx', args: ['-v'], pattern: /nginx\/([\d.]+)/ },
  },
  'rivals/nginx.conf',
  (configuration) => ({ command: 'nginx', args: ['-e', 'stderr', '-c', configuration] }),
);

const h2o = rival(
  {
    name: 'h2o',
    title: 'h2o',
    servesFiles: true,
    forks: false,
    version: { command: 'h2o', args: ['-v'], pattern: /version ([\d.]+)/ },
  },
  'rivals/h2o.yaml',
  (configuration) => ({ command: 'h2o', args: ['-c', configuration] }),
);

const haproxy = rival(
  {
    name: 'haproxy',
    title: 'HAProxy',
    servesFiles: false,
    forks: false,
    version: { command: 'haproxy', args: ['-v'], pattern: /version ([\d.]+)/ },
  },
  'rivals/haproxy.cfg',
  (configuration) => ({ command: 'haproxy', args: ['-db', '-f', configuration] }),
);

const caddy = rival(
  {
    name: 'caddy',
    title: 'Caddy',
    servesFiles: true,
    forks: false,
    version: { command: 'caddy', args: ['version'], pattern: /v?(\d+\.[\d.]+)/ },
  },
  'rivals/Caddyfile',
  (configuration) => ({
    command: 'caddy',
    args: ['run', '--adapter', 'caddyfile', '--config', configuration],
    environment: {
      GOMAXPROCS: '1',
      XDG_DATA_HOME: `${configuration}-data`,
      XDG_CONFIG_HOME: `${configuration}-config`,
    },
  }),
);

/** @param workers one for comparisons, `auto` for the start-up figure */
export function portico(node: string, program: string, workers: number | 'auto' = 1): Contender {
  return {
    name: 'portico',
    title: 'Portico',
    servesFiles: true,
    forks: true,
    version: { command: node, args: [program, 'version'], pattern: /([\s\S]*)/ },
    start: async (folder, upstream) => {
      const port = await freePort();
      const configuration = folder.writeConfiguration('portico.yaml', {
        PORT: port,
        ADMIN_PORT: await freePort(),
        WORKERS: workers,
        UPSTREAM_PORT: upstream.port,
        UPSTREAM_SOCKET: upstream.socketPath,
      });
      return ChildServer.start({ name: 'Portico', command: node, args: [program, 'serve', '-c', configuration], port });
    },
  };
}

/** The servers that Portico is compared with, as Debian ships them. */
export const rivals: readonly Contender[] = [nginx, h2o, haproxy, caddy];
