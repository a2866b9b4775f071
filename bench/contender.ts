import { ChildServer, type Command } from './child-server.ts';
import { descriptorLimit } from './descriptor-limit.ts';
import { freePort } from './free-port.ts';
import { nodeRivalFolder } from './node-rivals.ts';
import { siteHost, type Variant } from './variant.ts';
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
  /** Compiles while it runs: gets load before it is measured. */
  readonly warmsUp: boolean;
  /** Whether a child process serves; otherwise the first process does, whatever helpers it starts. */
  readonly forks: boolean;
  /** Command that prints its version, and how to find it in the output. */
  readonly version: { readonly command: string; readonly args: readonly string[]; readonly pattern: RegExp };
  /** Starts it on a free port, with one worker unless the variant says otherwise. */
  start(folder: WorkFolder, upstream: Upstream, variant?: Variant, hear?: (text: string) => void): Promise<ChildServer>;
}

/** A server whose configuration is a template in `rivals/`. */
function rival(
  facts: Omit<Contender, 'start'>,
  template: string,
  command: (configuration: string) => Omit<Command, 'name' | 'port'>,
): Contender {
  return {
    ...facts,
    start: async (folder, upstream, variant = {}) => {
      const port = await freePort();
      const configuration = folder.writeConfiguration(template, {
        PORT: port,
        UPSTREAM_PORT: upstream.port,
        UPSTREAM_SOCKET: upstream.socketPath,
        ACCESS_LOG: variant.accessLog ? `${folder.logPath(facts.name)} combined buffer=64k flush=1s` : 'off',
        OPEN_FILES: openFiles(variant.cachedFiles),
        WORKERS: variant.workers ?? 1,
        IDLE_UPSTREAM_CONNECTIONS: variant.idleUpstreamConnections ?? 64,
        SITES: serverBlocks(variant, port, folder.files),
      });
      return ChildServer.start({ name: facts.title, port, ...command(configuration) });
    },
  };
}

/** The sites that Portico has for this variant, in NGINX's words. */
function serverBlocks({ routing }: Variant, port: number, files: string): string {
  if (routing === undefined) return '';
  const locations = Array.from(
    { length: routing.routesPerHost },
    (_, route) => `location /tcp/${route}/ { proxy_pass http://tcp; } location /files/${route}/ { alias ${files}/; }`,
  ).join(' ');
  return Array.from(
    { length: routing.hosts },
    (_, host) => `server { listen 127.0.0.1:${port}; server_name ${siteHost(host)}; ${locations} }`,
  ).join('\n  ');
}

/** Entries of NGINX's `open_file_cache`: each holds a descriptor, and connections need some too. */
export function openFiles(wanted: number | undefined): number {
  return Math.min(wanted ?? 1000, Math.max(1000, descriptorLimit() - 2000));
}

const nginx = rival(
  {
    name: 'nginx',
    title: 'NGINX',
    servesFiles: true,
    warmsUp: false,
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
    warmsUp: false,
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
    warmsUp: false,
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
    warmsUp: false,
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

/** A proxy from npm, as a program in `rivals/node`; it passes everything on to the TCP upstream. */
function nodeRival(node: string, title: string, program: string): Contender {
  return {
    name: program,
    title,
    servesFiles: false,
    warmsUp: true,
    forks: false,
    version: {
      command: node,
      // It is not there before it was installed.
      args: ['-p', `JSON.parse(fs.readFileSync('${nodeRivalFolder}/node_modules/${title}/package.json')).version`],
      pattern: /([\d.]+)/,
    },
    start: async (_folder, upstream) => {
      const port = await freePort();
      return ChildServer.start({
        name: title,
        command: node,
        args: [`${nodeRivalFolder}/${program}.js`],
        environment: { PORT: String(port), UPSTREAM_PORT: String(upstream.port), NODE_ENV: 'production' },
        port,
      });
    },
  };
}

/** The servers that Portico is compared with, as Debian ships them. */
export const rivals: readonly Contender[] = [nginx, h2o, haproxy, caddy];

/** The proxies from npm; they run on the same Node.js as Portico. */
export function nodeRivals(node: string): readonly Contender[] {
  return [
    nodeRival(node, 'http-proxy', 'http-proxy'),
    nodeRival(node, '@fastify/http-proxy', 'fastify-http-proxy'),
    nodeRival(node, 'http-proxy-middleware', 'http-proxy-middleware'),
  ];
}
