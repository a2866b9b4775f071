import { Admission } from '../../src/balancer/admission.ts';
import type { CapacitySource } from '../../src/balancer/server-capacity.ts';
import { bufferingDefaults } from '../../src/config/buffering-defaults.ts';
import type { ServerConfig, UpstreamConfig } from '../../src/config/config.ts';
import { webSocketDefaults } from '../../src/config/websocket-defaults.ts';
import type { BufferingResources } from '../../src/proxy/buffering.ts';
import type { ProxyHandlerConfig } from '../../src/proxy/proxy-config.ts';
import { createProxyHandler } from '../../src/proxy/proxy-handler.ts';
import type { Handler } from '../../src/route/route.ts';
import { readUpstreamContext } from '../../src/tls/upstream-context.ts';
import { NameService } from '../../src/upstream/name-service.ts';
import type { Lookup } from '../../src/upstream/resolver.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { FakeExchange, type FakeRequest } from './fake-exchange.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';
import { secureOrigins } from './secure-origins.ts';
import { SharedCapacity } from './shared-capacity.ts';

type UpstreamChanges = Omit<Partial<UpstreamConfig>, 'timeouts' | 'keepAlive'> & {
  readonly timeouts?: Partial<UpstreamConfig['timeouts']>;
  readonly keepAlive?: Partial<UpstreamConfig['keepAlive']>;
};

/** An upstream's configuration with the defaults of the schema, but that requests do not wait for servers to be back. */
export function upstreamConfig(servers: readonly ServerConfig[], changes: UpstreamChanges = {}): UpstreamConfig {
  return {
    name: 'app',
    balance: 'round-robin',
    slowStart: 0,
    discovered: [],
    resolver: { timeout: 5000, serviceInterval: 10_000 },
    failBackoff: 1000,
    maxResponseHead: 65_536,
    directives: { redirect: false, buffering: true, limitRate: false },
    queue: { size: 1000, timeout: 30_000 },
    waitForUpstream: 0,
    waitForUpstreamMax: 1000,
    retry: { on: ['connect', 'reset'], attempts: 3, budget: 20 },
    health: undefined,
    passiveHealth: false,
    tls: secureOrigins.configuration,
    ...changes,
    servers,
    timeouts: { connect: 5000, response: 60_000, read: 60_000, write: 60_000, ...changes.timeouts },
    keepAlive: { idleTimeout: 1500, maxIdle: 64, ...changes.keepAlive },
  };
}

/** A proxy route's configuration with the defaults of the schema. */
export function proxyConfig(changes: Partial<ProxyHandlerConfig> = {}): ProxyHandlerConfig {
  return {
    kind: 'proxy',
    buffering: bufferingDefaults,
    upstream: 'app',
    stripPrefix: false,
    host: 'keep',
    forwarded: false,
    interceptErrors: false,
    onClientAbort: 'cancel',
    webSocket: webSocketDefaults,
    upgrade: false,
    requestHeaders: { set: {}, remove: [] },
    prefix: '/',
    responseFields: Buffer.alloc(0),
    removedResponseFields: new Set(),
    ...changes,
  };
}

/** A proxy route in front of some servers, asked through fake exchanges. */
export class Proxied {
  readonly recorder = new FakeRecorder();
  readonly upstream: Upstream;
  readonly admission: Admission;
  readonly logger = new RecordingLogger();
  readonly handler: Handler;

  constructor(
    servers: readonly ServerConfig[],
    changes: UpstreamChanges = {},
    route: Partial<ProxyHandlerConfig> = {},
    lookup?: Lookup,
    capacity: CapacitySource = new SharedCapacity().worker(),
    buffering?: BufferingResources,
  ) {
    const names = lookup === undefined ? undefined : { ...new NameService(), addresses: lookup, configure: () => {} };
    const config = upstreamConfig(servers, changes);
    this.upstream = new Upstream(config, this.recorder, names, config.tls && readUpstreamContext(config.tls));
    const { recorder } = this;
    this.admission = new Admission(this.upstream, { recorder, capacity, logger: this.logger });
    this.handler = createProxyHandler(proxyConfig(route), this.upstream, this.admission, undefined, buffering);
  }

  /** Begins a request; the exchange's `finished` says when it is over. */
  begin(request: FakeRequest = {}): FakeExchange {
    const exchange = new FakeExchange(request);
    this.handler.handle(exchange.withContext());
    return exchange;
  }

  /** A request from beginning to end. */
  async ask(request: FakeRequest = {}): Promise<FakeExchange> {
    const exchange = this.begin(request);
    await exchange.finished;
    return exchange;
  }

  close(): void {
    this.upstream.close();
  }
}
