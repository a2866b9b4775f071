import type { HealthInput } from '../admin/status-report.ts';
import type { UpstreamConfig } from '../config/config.ts';
import type { Health } from '../health/rise-fall.ts';
import type { HealthReport, ServerHealth } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import { RepeatedLog } from '../log/repeated-log.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { UpstreamContexts } from '../tls/upstream-context.ts';
import { UpstreamFileWatch } from '../tls/upstream-file-watch.ts';
import { HeadBlock } from '../upstream/head-block.ts';
import { NameService } from '../upstream/name-service.ts';
import type { NameSource } from '../upstream/upstream.ts';
import { HealthGate } from './health-gate.ts';
import { type CheckedUpstream, HealthGroup } from './health-group.ts';
import { HealthMetrics } from './health-metrics.ts';
import type { CheckOutcome } from './health-probe.ts';
import type { HealthResources, HealthTarget } from './health-target.ts';

/** Checks that run at a time, over all upstreams: sockets that this process has open for them. */
const maxConcurrentChecks = 100;
const lateWarningMs = 60_000;
/** Pause between two looks at whether a name is to be looked up anew. */
const nameClockMs = 250;

export interface HealthProberOptions {
  readonly logger: Logger;
  readonly recorder: Recorder;
  /** Tells all workers. */
  readonly announce: (report: HealthReport) => void;
  /** Where names are looked up; each upstream for itself when left out. */
  readonly names?: NameSource;
  readonly random?: () => number;
  readonly maxConcurrent?: number;
}

/** Checks the servers of all upstreams that have `health`: one for the whole program, whatever the number of workers. */
export class HealthProber {
  private readonly options: HealthProberOptions;
  private readonly metrics: HealthMetrics;
  private readonly gate: HealthGate;
  private readonly contexts = new UpstreamContexts();
  private readonly files: UpstreamFileWatch;
  private readonly resources: Omit<HealthResources, 'lookup'>;
  private groups = new Map<string, HealthGroup>();
  private clock: NodeJS.Timeout | undefined;
  /** Changes that the workers are told together. */
  private changes = new Set<HealthTarget>();

  constructor(options: HealthProberOptions) {
    this.options = options;
    this.metrics = new HealthMetrics(options.recorder);
    const limit = options.maxConcurrent ?? maxConcurrentChecks;
    this.gate = new HealthGate(limit);
    this.files = new UpstreamFileWatch(options.logger, (upstream, context) => {
      this.groups.get(upstream)?.secure(context);
    });
    const repeated = new RepeatedLog(options.logger, lateWarningMs);
    this.resources = {
      gate: this.gate,
      block: new HeadBlock(),
      random: options.random ?? Math.random,
      checked: (target, outcome, durationMs, to) => this.checked(target, outcome, durationMs, to),
      joined: ({ upstream, server, health }) => this.metrics.state(upstream, server.name, health),
      left: (target) => this.left(target),
      late: () => repeated.warn('late', `health checks are late: ${limit} run at a time, and they take too long`),
    };
  }

  /** Checks what that configuration says from now on. Servers that stay keep their state. The workers are told all of it. */
  applyConfig(upstreams: Readonly<Record<string, UpstreamConfig>>): void {
    this.readFiles(upstreams);
    const former = this.groups;
    this.groups = new Map();
    for (const [name, config] of Object.entries(upstreams)) {
      if (!isChecked(config) || (config.tls !== undefined && this.contexts.get(name) === undefined)) continue;
      const group =
        former.get(name) ?? new HealthGroup(config, this.options.names ?? new NameService(), this.resources);
      former.delete(name);
      group.configure(config, this.contexts.get(name));
      this.groups.set(name, group);
    }
    for (const group of former.values()) group.stop();
    this.files.follow(upstreams, (name) => (this.groups.has(name) ? this.contexts.get(name) : undefined));
    this.followNames();
    if (this.groups.size > 0 || former.size > 0) this.options.announce(this.report());
  }

  /** All that is known, for a worker that starts. */
  report(): HealthReport {
    return { complete: true, servers: Array.from(this.targets(), healthOf) };
  }

  /** For /status. */
  status(): HealthInput[] {
    return Array.from(this.targets(), (target) => {
      const { upstream, server, health, known, reason, checkedAt } = target;
      return {
        upstream,
        server: server.name,
        health: known ? health : 'unknown',
        ...(reason === '' ? {} : { reason }),
        ...(checkedAt === undefined ? {} : { checkedAt }),
      };
    });
  }

  close(): void {
    clearInterval(this.clock);
    this.files.close();
    for (const group of this.groups.values()) group.stop();
    this.groups.clear();
    this.changes.clear();
  }

  /** For TLS. The workers have read the same a moment ago, so it can hardly fail; where it does, what was read before counts. */
  private readFiles(upstreams: Readonly<Record<string, UpstreamConfig>>): void {
    try {
      this.contexts.read(Object.fromEntries(Object.entries(upstreams).filter(([, config]) => isChecked(config))));
    } catch (error) {
      this.options.logger.error('health checks go on with the former files, where there are some', { error });
    }
  }

  /** Looks names up as long as any upstream has some. */
  private followNames(): void {
    clearInterval(this.clock);
    this.clock = undefined;
    if (![...this.groups.values()].some((group) => group.followsNames)) return;
    this.clock = setInterval(() => {
      const now = performance.now();
      // Every group is asked, whatever the others say.
      const changed = [...this.groups.values()].filter((group) => group.followNames(now));
      if (changed.length > 0) this.options.announce(this.report());
    }, nameClockMs);
    this.clock.unref();
  }

  private *targets(): Generator<HealthTarget> {
    for (const group of this.groups.values()) yield* group.targets;
  }

  private left(target: HealthTarget): void {
    this.changes.delete(target);
    this.metrics.state(target.upstream, target.server.name, undefined);
  }

  private checked(target: HealthTarget, outcome: CheckOutcome, durationMs: number, to: Health | undefined): void {
    const { upstream, server } = target;
    this.metrics.checked(upstream, server.name, outcome.result, durationMs);
    this.metrics.waiting(this.gate.queued);
    if (to === undefined) return;
    this.metrics.changed(upstream, server.name, to);
    this.metrics.state(upstream, server.name, to);
    const fields = { upstream, server: server.name };
    if (to === 'up') this.options.logger.info(`server ${server.name} of upstream ${upstream} is up`, fields);
    else {
      const { reason } = outcome;
      this.options.logger.warn(`server ${server.name} of upstream ${upstream} is down: ${reason}`, fields);
    }
    if (this.changes.size === 0) setImmediate(() => this.announceChanges());
    this.changes.add(target);
  }

  private announceChanges(): void {
    if (this.changes.size === 0) return;
    const servers = [...this.changes].map(healthOf);
    this.changes.clear();
    this.options.announce({ complete: false, servers });
  }
}

function isChecked(config: UpstreamConfig): config is CheckedUpstream {
  return config.health !== undefined;
}

function healthOf({ upstream, server, health, reason }: HealthTarget): ServerHealth {
  const up = health === 'up';
  return { upstream, server: server.name, up, ...(up || reason === '' ? {} : { reason: `health check: ${reason}` }) };
}
