import { setTimeout as delay } from 'node:timers/promises';
import { SharedAccess } from '../access/shared-access.ts';
import { PendingChallenges } from '../acme/pending-challenges.ts';
import { PurgeClient } from '../cache/purge-client.ts';
import type { ResponseStore } from '../cache/response-store.ts';
import type { CacheOrder } from '../cache/store/store-messages.ts';
import type { CompressionResources } from '../compression/route-compression.ts';
import type { Config } from '../config/config.ts';
import type {
  CapacityOrder,
  HealthReport,
  ServerStateOrder,
  ToPrimary,
  ToWorker,
  WorkerState,
  ZoneDebts,
  ZoneHolds,
} from '../ipc/message.ts';
import { AddressCensus } from '../limits/address-census.ts';
import { ConnectionGate } from '../limits/connection-gate.ts';
import { DescriptorWatch } from '../limits/descriptor-watch.ts';
import { LimitZones } from '../limits/limit-zones.ts';
import { MemoryWatch } from '../limits/memory-watch.ts';
import type { Engine, EngineFactory } from '../listener/engine.ts';
import { AccessLog } from '../log/access-log.ts';
import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Gauge } from '../metrics/recorder.ts';
import type { WorkerRecorder } from '../metrics/worker-recorder.ts';
import { OcspStaples, type StapleEntry } from '../ocsp/ocsp-staples.ts';
import type { BufferingResources } from '../proxy/buffering.ts';
import { TrustedProxies } from '../request/trusted-proxies.ts';
import { PaceClock } from '../response/pace-clock.ts';
import { ContentTypes } from '../static/content-types.ts';
import { FileCache } from '../static/file-cache.ts';
import { ReadBufferPool } from '../static/read-buffer-pool.ts';
import type { StaticResources } from '../static/static-handler.ts';
import type { TlsFileContents } from '../tls/tls-files.ts';
import { TunnelCensus } from '../tunnel/tunnel-census.ts';
import { bufferingResources, configureBuffering } from './buffering-resources.ts';
import { explainUrl } from './cache-explainer.ts';
import { CacheZones } from './cache-zones.ts';
import { CapacityLeases } from './capacity-leases.ts';
import { ChallengeRoute } from './challenge-route.ts';
import { compressionResources, configureCompression } from './compression-resources.ts';
import { engineTimeouts } from './engine-timeouts.ts';
import { HoldExchange } from './hold-exchange.ts';
import { Listeners } from './listeners.ts';
import { Pipeline } from './pipeline.ts';
import { Privileges } from './privileges.ts';
import { RateExchange } from './rate-exchange.ts';
import { RequestDeadlines } from './request-deadlines.ts';
import { RequestObserver } from './request-observer.ts';
import { buildSiteGraph, type SiteGraph } from './site-graph.ts';
import { TlsListeners } from './tls-listeners.ts';
import { UpstreamSet } from './upstream-set.ts';

/** How long before the end of a drain WebSockets and tunnels are closed, milliseconds: clients are to hear of it. */
const switchedCloseMs = 1000;
const idleCheckMs = 50;

/** What a worker is given by its process: everything it needs of the world outside. */
export interface WorkerOptions {
  readonly createEngine: EngineFactory;
  readonly recorder: WorkerRecorder;
  readonly logger: Logger;
  readonly send: (message: ToPrimary) => void;
}

/** One worker: wires the parts, keeps what outlives a reload, and does what the primary says. */
export class Worker {
  private readonly options: WorkerOptions;
  private readonly observer: RequestObserver;
  private readonly capacity: CapacityLeases;
  private readonly upstreams: UpstreamSet;
  private readonly openConnections: Gauge;
  private readonly paceClock: PaceClock;
  private readonly purges: PurgeClient;
  private readonly caches: CacheZones;
  private readonly challenges = new PendingChallenges();
  private readonly staples = new OcspStaples();
  private readonly challengeRoute: ChallengeRoute;
  private readonly limits: LimitZones;
  private readonly access: SharedAccess;
  private readonly rates: RateExchange;
  private readonly gate: ConnectionGate;
  private readonly tunnels = new TunnelCensus();
  private readonly deadlines = new RequestDeadlines();
  private readonly memory = new MemoryWatch();
  private readonly holds: HoldExchange;
  private readonly tls: TlsListeners;
  private readonly privileges = new Privileges();
  /** Largest WebSocket message that the engine can take without opening its sockets anew. */
  private messageBytes = 0;
  private serving: Serving | undefined;
  private graph: SiteGraph | undefined;
  private awaitIdle = false;

  constructor(options: WorkerOptions) {
    this.options = options;
    this.tls = new TlsListeners(options.logger, options.recorder, {
      challenges: this.challenges,
      staples: this.staples,
    });
    this.observer = new RequestObserver(options.recorder, options.logger);
    this.capacity = new CapacityLeases((demands) => options.send({ type: 'capacity', demands }));
    this.upstreams = new UpstreamSet(options.recorder, options.logger, this.capacity);
    this.purges = new PurgeClient(options.send);
    const { recorder, logger, send } = options;
    this.caches = new CacheZones({ recorder, logger, send, purges: this.purges });
    this.paceClock = new PaceClock(options.recorder.gauge(metricNames.httpResponsesPaced, {}));
    this.access = new SharedAccess(options.logger, options.recorder);
    this.limits = new LimitZones(options.recorder, options.logger, (ranges) => new TrustedProxies(ranges));
    this.rates = new RateExchange(this.limits, (zones) => options.send({ type: 'rates', zones }));
    this.challengeRoute = new ChallengeRoute(this.challenges, options.recorder.counter(metricNames.acmeChallenges, {}));
    this.gate = new ConnectionGate(options.recorder, options.logger, {
      descriptors: new DescriptorWatch(),
      memory: this.memory,
      census: new AddressCensus(() => new Set(this.serving?.listeners.addresses.map(({ port }) => port))),
    });
    this.deadlines.onCut = () => this.gate.cut('request_time');
    this.holds = new HoldExchange(
      () => this.limits.holdTables.set('connections', this.gate.total).set('addresses', this.gate.addresses),
      (zones) => options.send({ type: 'holds', zones }),
    );
    this.openConnections = options.recorder.gauge(metricNames.connections, {});
  }

  /** Serves that configuration from now on, or says why not and goes on with the former one. */
  async configure(message: Extract<ToWorker, { type: 'configure' }>): Promise<void> {
    const { generation, config, serverStates, cachePurges, tlsFiles } = message;
    const { send } = this.options;
    try {
      for (const order of serverStates ?? []) this.upstreams.setServerState(order);
      this.purges.configure(cachePurges ?? []);
      if (config.account !== undefined) this.privileges.lower(config.account);
      if (tlsFiles !== undefined) this.takeTlsFiles(tlsFiles, false);
      const awaitsReplacement = await this.apply(generation, config);
      send({ type: 'configured', generation, ...(awaitsReplacement ? { awaitsReplacement } : {}) });
    } catch (error) {
      send({ type: 'refused', generation, error: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Sends what was counted since the last report, and the state for /status. */
  report(id?: number): void {
    const { recorder, send } = this.options;
    this.openConnections.set(this.serving?.engine.connections ?? 0);
    const delta = recorder.collect();
    send({ type: 'metrics', delta, state: this.state(), ...(id === undefined ? {} : { id }) });
  }

  reopenLogs(): void {
    this.serving?.accessLog?.reopen();
  }

  /** Takes what the primary says about `maxConnections`. */
  takeCapacity(orders: readonly CapacityOrder[]): void {
    this.capacity.receive(orders);
  }

  /** Takes orders to purge, and answers to what was wanted. */
  takePurge(message: Extract<ToWorker, { type: 'cache-purge' | 'cache-purge-done' }>): void {
    this.purges.receive(message);
  }

  /** Takes what the keeper of the stores says. */
  takeCacheOrders(orders: readonly CacheOrder[]): void {
    this.caches.takeOrders(orders);
  }

  /** Takes what the primary says about a lock. */
  takeCacheLock({ id, answer }: Extract<ToWorker, { type: 'cache-lock' }>): void {
    this.caches.takeLock(id, answer);
  }

  /** Says what the cache has for a request. */
  async explainCache({ id, url, fields }: Extract<ToWorker, { type: 'cache-explain' }>): Promise<void> {
    const { graph, caches, options } = this;
    const storeOf = (zone: string): ResponseStore | undefined => caches.get(zone)?.store;
    const explanation = graph === undefined ? 'the worker starts' : await explainUrl(url, fields, graph, storeOf);
    options.send({ type: 'cache-explained', id, explanation });
  }

  /** Takes what all workers counted for limits. */
  takeRates(zones: readonly ZoneDebts[]): void {
    this.rates.receive(zones);
  }

  /** Answers these challenges of authorities from now on, and says so. */
  takeChallenges({ id, responses }: Extract<ToWorker, { type: 'acme-challenges' }>): void {
    this.challenges.replace(responses);
    this.options.send({ type: 'acme-challenges', id });
  }

  /** Staples these responses of authorities from now on, and no others. */
  takeStaples(staples: readonly StapleEntry[]): void {
    this.staples.replace(staples);
  }

  /** Takes what the other workers hold of limits. */
  takeHolds(zones: readonly ZoneHolds[]): void {
    this.holds.receive(zones);
  }

  /** Takes certificates and keys from the primary. @param renews whether they have changed, and no configuration follows */
  takeTlsFiles(files: TlsFileContents, renews = true): void {
    this.tls.takeFiles(files, renews);
    this.upstreams.takeFiles(files, renews);
  }

  /** Takes the key for TLS session tickets. @param key 48 bytes */
  setTicketKey(key: Buffer): void {
    this.tls.setTicketKey(key);
  }

  /** Takes what active checks found of servers. */
  setHealth(report: HealthReport): void {
    this.upstreams.setHealth(report);
  }

  /** Takes what the operator says of a server; kept for upstreams that come with a later configuration. */
  setServerState(order: ServerStateOrder): void {
    this.upstreams.setServerState(order);
  }

  /**
   * Stops accepting and waits for what is in flight, at most that long; then everything is closed and the logs are written.
   * @param awaitIdle also waits for idle connections: until their clients have sent another request, which closes them, or
   * the engine's idle time is over. No request is lost then that a client sends at this moment. Until `hurry` is called.
   * @returns how many requests were cut
   */
  async drain(timeoutMs: number, awaitIdle = false): Promise<number> {
    const { serving } = this;
    if (serving === undefined) return 0;
    this.awaitIdle = awaitIdle;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    const finished = this.finish(serving);
    // Where nobody is in a hurry WebSockets and tunnels stay for as long as there is time: few end by themselves.
    const switchedMs = awaitIdle ? Math.max(0, timeoutMs - switchedCloseMs) : 0;
    const leave = setTimeout(() => serving.engine.closeSwitched(), switchedMs);
    await Promise.race([finished, timeout]);
    clearTimeout(leave);
    this.awaitIdle = false;
    clearTimeout(timer);
    const cut = serving.engine.inFlight;
    serving.engine.close();
    this.upstreams.close();
    this.access.close();
    this.rates.close();
    this.holds.close();
    this.memory.close();
    this.deadlines.close();
    serving.buffering.spool.close();
    this.caches.close();
    void serving.compression.forms.close();
    this.report();
    await serving.accessLog?.close();
    return cut;
  }

  /** Idle connections, WebSockets and tunnels are not waited for any more. */
  hurry(): void {
    this.awaitIdle = false;
    this.serving?.engine.closeSwitched();
  }

  private async finish({ engine, listeners }: Serving): Promise<void> {
    await listeners.close();
    await engine.drain();
    // Requests that come on connections that were idle are answered still.
    while (engine.inFlight > 0 || (this.awaitIdle && engine.connections > 0)) await delay(idleCheckMs);
  }

  /** @returns whether something takes a fresh process */
  private async apply(generation: number, config: Config): Promise<boolean> {
    const { recorder } = this.options;
    const former = this.serving;
    const files = fileResources(config, recorder, former?.files);
    const buffering = bufferingResources(config, recorder, this.options.logger, former?.buffering);
    const compression = compressionResources(config, recorder, former?.compression);
    const { upstreams, paceClock } = this;
    this.caches.prepare(config);
    this.upstreams.prepare(config.upstreams);
    const limits = this.limits.prepare(config);
    const access = this.access.prepare();
    const { challengeRoute: challenges, caches } = this;
    const graph = buildSiteGraph(config, {
      access,
      files,
      upstreams,
      recorder,
      paceClock,
      buffering,
      compression,
      caches,
      tunnels: this.tunnels,
      limits,
      challenges,
    });
    const serving = former ?? this.start(config, new Pipeline(graph, this.observer, this.gate, this.deadlines));
    const accessLog = this.accessLogFor(config, former);
    const closeOld = await serving.listeners.openNew(config.listen).catch(async (error: unknown) => {
      if (accessLog !== former?.accessLog) await accessLog?.close();
      throw error;
    });
    const timeouts = engineTimeouts(config);
    const wanted = timeouts.webSocketMessageBytes;
    // An engine may have to open its sockets anew to take larger messages.
    if (!serving.listeners.hasUnrepeatable) this.messageBytes = wanted;
    const messageBytes = Math.min(wanted, this.messageBytes);
    serving.engine.configure({ ...timeouts, webSocketMessageBytes: messageBytes });
    files.cache.configure(cacheLimits(config));
    files.buffers.configure(config.fileCache.readBuffers);
    configureBuffering(buffering, config);
    configureCompression(compression, config);
    this.upstreams.applyConfig(config.upstreams);
    limits.use(performance.now());
    this.gate.configure(config.limits, this.limits.hash, config.workers);
    this.rates.configured();
    this.holds.configured();
    serving.pipeline.replaceGraph(graph);
    this.deadlines.configure(config.timeouts.request);
    this.graph = graph;
    this.caches.settle(config);
    this.access.adopt(access);
    this.observer.useAccessLog(accessLog);
    if (former?.accessLog !== accessLog) void former?.accessLog?.close();
    this.serving = { ...serving, generation, config, files, buffering, compression, accessLog };
    await closeOld();
    return messageBytes < wanted || serving.listeners.awaitsReplacement;
  }

  private start(config: Config, pipeline: Pipeline): Pick<Serving, 'engine' | 'pipeline' | 'listeners'> {
    const engine = this.options.createEngine(pipeline, engineTimeouts(config));
    return {
      engine,
      pipeline,
      listeners: new Listeners(engine, this.tls, this.privileges),
    };
  }

  private accessLogFor(config: Config, former: Serving | undefined): AccessLog | undefined {
    if (config.accessLog === false) return undefined;
    if (former !== undefined && JSON.stringify(former.config.accessLog) === JSON.stringify(config.accessLog)) {
      return former.accessLog;
    }
    return new AccessLog(config.accessLog, this.options.recorder, this.options.logger);
  }

  private state(): WorkerState {
    const { serving } = this;
    return {
      pid: process.pid,
      generation: serving?.generation ?? 0,
      inFlight: serving?.engine.inFlight ?? 0,
      connections: serving?.engine.connections ?? 0,
      rssBytes: process.memoryUsage.rss(),
      listeners: serving?.listeners.addresses ?? [],
      servers: this.upstreams.states(),
      admissions: this.upstreams.admissions(),
    };
  }
}

/** What a worker has once a configuration is in force. */
interface Serving {
  readonly engine: Engine;
  readonly pipeline: Pipeline;
  readonly listeners: Listeners;
  readonly generation: number;
  readonly config: Config;
  readonly files: StaticResources;
  readonly buffering: BufferingResources;
  readonly compression: CompressionResources;
  readonly accessLog: AccessLog | undefined;
}

function cacheLimits({ fileCache }: Config): ConstructorParameters<typeof FileCache>[0] {
  const { size, maxFileSize, maxHotFileSize, revalidate } = fileCache;
  return { maxBytes: size, maxFileBytes: maxFileSize, maxHotFileBytes: maxHotFileSize, revalidateMs: revalidate };
}

/** Cache and buffers live on over a reload; content types are a matter of the configuration. */
function fileResources(config: Config, recorder: WorkerRecorder, former: StaticResources | undefined): StaticResources {
  return {
    cache: former?.cache ?? new FileCache(cacheLimits(config), recorder),
    buffers: former?.buffers ?? new ReadBufferPool(config.fileCache.readBuffers, recorder),
    types: new ContentTypes(config.types),
    recorder,
  };
}
