import { type AdminServer, createAdminServer, type Readiness } from '../admin/admin-server.ts';
import { cacheReport } from '../admin/cache-report.ts';
import type { Control } from '../admin/control-api.ts';
import { buildStatusReport, type WorkerInput } from '../admin/status-report.ts';
import type { Config, ListenAddress } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import type { ServerStateOrder } from '../ipc/message.ts';
import type { RootLogger } from '../log/logger.ts';
import { MetricAggregate } from '../metrics/aggregate.ts';
import { AcmeIssuer } from './acme-issuer.ts';
import { AdminEndpoint } from './admin-endpoint.ts';
import { CacheSupervision } from './cache-supervision.ts';
import { CapacityDesk } from './capacity-desk.ts';
import { CertificateSupervision } from './certificate-supervision.ts';
import { workerForker } from './fork-worker.ts';
import { HealthProber } from './health-prober.ts';
import { HoldDesk } from './hold-desk.ts';
import { LimitDesk } from './limit-desk.ts';
import { PrimaryMetrics } from './primary-metrics.ts';
import { logQueueMigration, queuesMigrate } from './queue-migration.ts';
import { Reload } from './reload.ts';
import { ReportRound } from './report-round.ts';
import { RestartPolicy } from './restart-policy.ts';
import type { ServedConfig } from './served-config.ts';
import { isConfigured, ServerStates } from './server-states.ts';
import { SharedRates } from './shared-rates.ts';
import { Shutdown } from './shutdown.ts';
import type { Order, Signals } from './signals.ts';
import { startLine } from './start-line.ts';
import { TicketKeys } from './ticket-keys.ts';
import { type FleetEvents, type TransitionResult, WorkerFleet } from './worker-fleet.ts';
import { WorkerRoll } from './worker-roll.ts';
import type { SlotState, Target, WorkerSlot } from './worker-slot.ts';

export interface PrimaryOptions {
  /** What to serve. Its addresses were tried: nothing else is on them. */
  readonly initial: ServedConfig;
  /** Reads the configuration anew, at SIGHUP. */
  readonly load: () => Promise<LoadResult>;
  readonly environment: NodeJS.ProcessEnv;
  readonly signals: Signals;
  readonly logger: RootLogger;
  readonly version: string;
}

/**
 * How it ended. `stopped`: as asked; `failed`: workers died again and again, or could not start, or a second signal cut everything
 * short; `refused`: the configuration cannot be served, and nothing was.
 */
export type PrimaryResult = 'stopped' | 'failed' | 'refused';

/** The process above the workers: wires the parts and gives each event to the part it concerns. */
export class Primary {
  private readonly options: PrimaryOptions;
  private readonly fleet: WorkerFleet;
  private readonly aggregate: MetricAggregate;
  private readonly metrics: PrimaryMetrics;
  private readonly capacity = new CapacityDesk();
  private readonly cache: CacheSupervision;
  private readonly holds = new HoldDesk();
  private readonly limits = new LimitDesk((message) => void this.fleet.broadcast(message));
  private readonly issuer: AcmeIssuer;
  private readonly shared: SharedRates;
  private readonly round: ReportRound;
  private readonly prober: HealthProber;
  private readonly certificates: CertificateSupervision;
  private readonly ticketKeys = new TicketKeys((key) => void this.fleet.broadcast({ type: 'ticket-key', key }));
  private readonly admin: AdminEndpoint;
  private readonly reload: Reload;
  private readonly shutdown: Shutdown;
  private readonly roll: WorkerRoll;
  private readonly serverStates = new ServerStates();
  /** For workers that start from now on. */
  private headerBytes: number;
  private readonly startedAt = Date.now();
  private readonly warned = new Set<string>();
  private engine = '';
  private started = false;
  private reloadWanted = false;
  private finish: (result: PrimaryResult) => void = () => {};

  constructor(options: PrimaryOptions) {
    const { initial, environment, logger } = options;
    this.options = options;
    this.headerBytes = initial.config.limits.headerSize;
    this.fleet = new WorkerFleet({
      workers: initial.config.workers,
      forkWorker: workerForker({ environment, headerBytes: () => this.headerBytes }),
      restartPolicy: new RestartPolicy(() => performance.now()),
      events: this.fleetEvents(),
      logger,
    });
    // First of all: the workers load their code while this process does the rest.
    this.fleet.start();
    this.aggregate = new MetricAggregate({ logger });
    const { recorder } = this.aggregate;
    this.metrics = new PrimaryMetrics(recorder);
    this.prober = new HealthProber({
      logger,
      recorder,
      announce: (report) => void this.fleet.broadcast({ type: 'health', ...report }),
    });
    this.cache = new CacheSupervision({
      recorder,
      logger,
      now: Date.now,
      broadcast: (message) => this.fleet.broadcast(message),
      config: () => this.reload.served.config,
      workers: () => this.fleet.slots,
    });
    this.fleet.standingOrders = () => ({ serverStates: this.serverStates.list, cachePurges: this.cache.purges.list });
    this.certificates = new CertificateSupervision(logger, recorder, (order) => this.fleet.broadcast(order));
    this.issuer = new AcmeIssuer({
      logger,
      recorder,
      broadcast: (message) => this.fleet.broadcast(message).map(({ workerKey }) => workerKey),
    });
    this.shared = new SharedRates((...known) => this.limits.learn(...known), logger, recorder);
    this.limits.onShared = (...counted) => this.shared.count(...counted);
    this.round = new ReportRound(() => this.fleet.workers);
    this.admin = new AdminEndpoint((address) => this.openAdmin(address));
    this.shutdown = new Shutdown(this.fleet, logger);
    this.roll = new WorkerRoll({
      fleet: this.fleet,
      metrics: this.metrics,
      logger,
      shutdownTimeoutMs: () => this.reload.served.config.shutdownTimeout,
    });
    this.reload = new Reload({
      load: options.load,
      admin: this.admin,
      metrics: this.metrics,
      logger,
      initial,
      apply: (target) => this.apply(target),
      changed: (former, next) => this.changed(former, next),
      allowed: () => !this.shutdown.begun,
    });
  }

  /** Serves until it is told to stop or cannot go on. Nothing of it is left then. */
  async run(): Promise<PrimaryResult> {
    const finished = new Promise<PrimaryResult>((resolve) => (this.finish = resolve));
    this.options.signals.listen((order, signal) => void this.obey(order, signal));
    const starting = this.start();
    const result = await finished;
    await starting;
    const { prober, issuer, certificates, ticketKeys, limits, shared, holds } = this;
    for (const part of [prober, issuer, certificates, ticketKeys, limits, shared, holds]) part.close();
    await this.cache.close();
    await this.admin.close();
    return result;
  }

  private async start(): Promise<void> {
    const { initial, logger } = this.options;
    try {
      await this.admin.start(initial.config.admin);
    } catch (error) {
      return this.giveUp('refused', `admin.address: ${error instanceof Error ? error.message : String(error)}`);
    }
    const mistake = this.issuer.tryPrepare(initial.config.listen);
    if (mistake !== undefined) return this.giveUp('refused', mistake);
    this.cache.configure(initial.config);
    // Ahead of the workers' configuration: they know which servers are down before they serve.
    this.prober.applyConfig(initial.config.upstreams);
    this.configureLimits(initial.config);
    const result = await this.fleet.apply(initial);
    if (!result.ok) {
      if (result.why !== 'stopped') this.giveUp(result.why, result.reason);
      return;
    }
    const { version } = this.options;
    this.started = true;
    this.metrics.configurationLoaded(initial.loadedAt.getTime());
    this.metrics.running(version, this.engine);
    const startMs = performance.now();
    logQueueMigration(logger, queuesMigrate());
    logger.info(startLine({ version, config: initial.config, engine: this.engine, startMs }), { pid: process.pid });
    this.certificates.applyConfig(initial.config.listen);
    this.issuer.applyConfig(initial.config.listen);
    void this.reloadIfWanted();
  }

  /** Ahead of the workers' configuration come the caches: they know what was purged and which folders they may use. */
  private async apply(target: Target): Promise<TransitionResult> {
    const { listen, upstreams } = target.config;
    const reason = this.issuer.tryPrepare(listen);
    if (reason !== undefined) return { ok: false, why: 'refused', reason };
    this.cache.configure(target.config);
    const result = await this.fleet.apply(target);
    if (!result.ok) {
      this.cache.configure(this.reload.served.config);
      return result;
    }
    this.certificates.applyConfig(listen);
    this.prober.applyConfig(upstreams);
    this.configureLimits(target.config);
    this.issuer.applyConfig(listen);
    return result;
  }

  private async reloadIfWanted(): Promise<void> {
    if (!this.started || !this.reloadWanted) return;
    this.reloadWanted = false;
    await this.reload.request();
  }

  /** What a reload asks for besides: workers read some keys when they start only. */
  private changed(former: Config, next: Config): void {
    this.serverStates.keepOnly(next.upstreams);
    this.headerBytes = next.limits.headerSize;
    if (next.workers !== former.workers) void this.roll.resize(next.workers);
    if (next.limitSecret !== former.limitSecret) {
      this.options.logger.info('the secret of limits changed: the workers are replaced, so that it takes effect');
      void this.roll.all('configuration');
      return;
    }
    if (next.limits.headerSize === former.limits.headerSize) return;
    this.options.logger.info('limits.headerSize changed: the workers are replaced, so that it takes effect');
    void this.roll.all('configuration');
  }

  private configureLimits({ rateLimits, redis }: Config): void {
    this.limits.configure(rateLimits);
    this.shared.configure(redis, new Map(Object.entries(rateLimits).filter(([, { shared }]) => shared)));
  }

  private giveUp(result: PrimaryResult, reason: string): void {
    this.options.logger.error(`cannot start: ${reason}`);
    this.fleet.kill('is not needed');
    this.finish(result);
  }

  private async obey(order: Order, signal: string): Promise<void> {
    switch (order) {
      case 'stop':
        return this.stop(signal, 'stopped');
      case 'reload':
        // While the workers start it has to wait for them.
        this.reloadWanted = true;
        return this.reloadIfWanted();
      case 'reopen-logs':
        this.options.logger.info(`${signal}: opening the log files anew`);
        this.fleet.broadcast({ type: 'reopen-logs' });
        return;
    }
  }

  private async stop(reason: string, result: PrimaryResult): Promise<void> {
    // From here on nobody answers an authority: an order under way is taken up again at the next start.
    this.issuer.close();
    const ended = await this.shutdown.request(reason, this.reload.served.config.shutdownTimeout);
    this.finish(ended === 'forced' ? 'failed' : result);
  }

  private fleetEvents(): FleetEvents {
    return {
      said: (slot, { engine, warning }, workerKey) => {
        // Goes out ahead of its configuration.
        slot.send({ type: 'health', ...this.prober.report() });
        this.cache.joined(slot, workerKey);
        slot.send({ type: 'ticket-key', key: this.ticketKeys.key });
        this.certificates.joined(slot);
        const known = this.limits.handOver();
        if (known !== undefined) slot.send(known);
        this.holds.said(slot, workerKey);
        if (this.issuer.announcer.current.id > 0) slot.send(this.issuer.announcer.current);
        // From here on its silence counts, also when it never reports.
        this.aggregate.apply(workerKey, { added: [], values: [] });
        this.engine = engine;
        if (warning === undefined || this.warned.has(warning)) return;
        // Every worker says the same.
        this.warned.add(warning);
        this.options.logger.warn(warning);
      },
      reported: (slot, report, workerKey) => {
        this.aggregate.apply(workerKey, report.delta);
        this.round.reported(slot, report.id);
        this.roll.checkMemory(slot, this.reload.served.config.workerMaxMemory);
      },
      demanded: (slot, demands, workerKey) => this.capacity.told(slot, demands, workerKey),
      kept: (_slot, reports, workerKey) => this.cache.kept(reports, workerKey),
      cacheSaid: (slot, message) => this.cache.said(slot, message),
      held: (_slot, zones, workerKey) => this.holds.told(zones, workerKey),
      counted: (_slot, zones) => this.limits.told(zones),
      challengesTaken: (_slot, id, workerKey) => this.issuer.announcer.confirmed(workerKey, id),
      died: (slot, death) => {
        this.cache.died(slot, death.workerKey);
        this.issuer.announcer.died(death.workerKey);
        this.capacity.died(death.workerKey);
        this.holds.died(death.workerKey);
        this.aggregate.forget(death.workerKey);
        this.round.died(slot);
      },
      restarted: () => this.metrics.workerRestarted(),
      changed: () => this.metrics.workersServing(this.fleet.serving),
      gaveUp: (explanation) => {
        this.options.logger.error(explanation);
        void this.stop('crash loop', 'failed');
      },
    };
  }

  private async openAdmin(address: ListenAddress): Promise<AdminServer> {
    const server = createAdminServer({
      aggregate: {
        render: async (accept) => {
          await this.round.ask();
          return this.aggregate.render(accept);
        },
      },
      readiness: () => this.readiness(),
      status: () => this.status(),
      control: this.control(),
      logger: this.options.logger,
    });
    await server.listen(address);
    return server;
  }

  private control(): Control {
    const served = (): Config => this.reload.served.config;
    return {
      access: () => served().admin?.control ?? 'off',
      host: () => served().admin?.host,
      cache: this.cache.desk,
      rollStatus: () => this.roll.current ?? null,
      rollWorkers: () => {
        if (this.roll.busy || !this.started || this.shutdown.begun) return false;
        void this.roll.all('request');
        return true;
      },
      setServerState: (order) => {
        if (!this.isServer(order)) return false;
        this.serverStates.set(order);
        this.fleet.broadcast({ type: 'server-state', ...order });
        this.options.logger.info(`server ${order.server} of ${order.upstream}: ${order.state}`);
        return true;
      },
    };
  }

  /** Whether there is such a server: in the configuration, or as a worker has found it behind a name. */
  private isServer({ upstream, server }: Pick<ServerStateOrder, 'upstream' | 'server'>): boolean {
    if (isConfigured(this.reload.served.config.upstreams, upstream, server)) return true;
    const found = this.fleet.workers.flatMap(({ workerState }) => workerState?.servers ?? []);
    return found.some((state) => state.upstream === upstream && state.server === server);
  }

  /** Every worker has to serve once; later on, the others do while one is replaced. */
  private readiness(): Readiness {
    if (this.shutdown.begun) return { ready: false, reason: 'stopping' };
    if (!this.started) return { ready: false, reason: 'starting' };
    if (this.fleet.serving === 0) return { ready: false, reason: 'no worker serves' };
    return { ready: true, reason: 'serving' };
  }

  private status(): object {
    const { served, last } = this.reload;
    const { source, hash, generation, loadedAt } = served;
    return buildStatusReport({
      version: this.options.version,
      engine: this.engine,
      pid: process.pid,
      startedAt: this.startedAt,
      now: Date.now(),
      ...this.readiness(),
      workers: this.fleet.workers.map(workerInput),
      roll: this.roll.current,
      lastRoll: this.roll.last,
      serverStates: this.serverStates.list,
      caches: cacheReport(Object.values(served.config.caches), served.config.workers, (metric) =>
        this.aggregate.samples(metric),
      ),
      health: this.prober.status(),
      config: { source, hash, generation, loadedAt: loadedAt.getTime() },
      lastReload: last,
    });
  }
}

const phases: Readonly<Record<SlotState, string>> = {
  starting: 'starting',
  serving: 'ready',
  draining: 'draining',
  dead: 'waiting',
};

function workerInput(slot: WorkerSlot): WorkerInput {
  return {
    slot: slot.number,
    pid: slot.pid,
    phase: phases[slot.state],
    restarts: slot.starts > 0 ? slot.starts - 1 : 0,
    state: slot.workerState,
    reportedAt: slot.reportedAt,
  };
}
