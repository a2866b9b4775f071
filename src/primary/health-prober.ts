import type { HealthInput } from '../admin/status-report.ts';
import type { HealthConfig, ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { Health } from '../health/rise-fall.ts';
import type { HealthReport, ServerHealth } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import { RepeatedLog } from '../log/repeated-log.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { HeadBlock } from '../upstream/head-block.ts';
import { type Lookup, systemLookup } from '../upstream/resolver.ts';
import { HealthGate } from './health-gate.ts';
import { HealthMetrics } from './health-metrics.ts';
import type { CheckOutcome } from './health-probe.ts';
import { type HealthResources, HealthTarget } from './health-target.ts';

/** Checks that run at a time, over all upstreams: sockets that this process has open for them. */
const maxConcurrentChecks = 100;
const lateWarningMs = 60_000;

export interface HealthProberOptions {
  readonly logger: Logger;
  readonly recorder: Recorder;
  /** Tells all workers. */
  readonly announce: (report: HealthReport) => void;
  readonly lookup?: Lookup;
  readonly random?: () => number;
  readonly maxConcurrent?: number;
}

/** What /status shows of a server that is checked. */
export interface HealthStatus {
  readonly upstream: string;
  readonly server: string;
  /** `unknown` before the first check. */
  readonly health: Health | 'unknown';
  /** What the last check found wrong. */
  readonly reason?: string;
  /** When the last check ended, milliseconds of `Date.now()`. */
  readonly checkedAt?: number;
}

/** Checks the servers of all upstreams that have `health`: one for the whole program, whatever the number of workers. */
export class HealthProber {
  private readonly options: HealthProberOptions;
  private readonly metrics: HealthMetrics;
  private readonly gate: HealthGate;
  private readonly resources: HealthResources;
  private targets = new Map<string, HealthTarget>();
  /** Changes that the workers are told together. */
  private changes = new Set<HealthTarget>();

  constructor(options: HealthProberOptions) {
    this.options = options;
    this.metrics = new HealthMetrics(options.recorder);
    const limit = options.maxConcurrent ?? maxConcurrentChecks;
    this.gate = new HealthGate(limit);
    const repeated = new RepeatedLog(options.logger, lateWarningMs);
    this.resources = {
      gate: this.gate,
      block: new HeadBlock(),
      lookup: options.lookup ?? systemLookup,
      random: options.random ?? Math.random,
      checked: (target, outcome, durationMs, to) => this.checked(target, outcome, durationMs, to),
      late: () => repeated.warn('late', `health checks are late: ${limit} run at a time, and they take too long`),
    };
  }

  /** Checks what that configuration says from now on. Servers that stay keep their state. The workers are told all of it. */
  applyConfig(upstreams: Readonly<Record<string, UpstreamConfig>>): void {
    const former = this.targets;
    this.targets = new Map();
    const added: HealthTarget[] = [];
    for (const { name, servers, health } of Object.values(upstreams)) {
      for (const server of health === undefined ? [] : servers) {
        const key = JSON.stringify([name, server.name, server.address]);
        const kept = former.get(key);
        former.delete(key);
        const target = kept ?? this.add(name, server, health as HealthConfig, added);
        kept?.reconfigure(health as HealthConfig);
        this.targets.set(key, target);
      }
    }
    for (const target of former.values()) this.remove(target);
    for (const target of added) target.start(added.length);
    if (this.targets.size > 0 || former.size > 0) this.options.announce(this.report());
  }

  /** All that is known, for a worker that starts. */
  report(): HealthReport {
    return { complete: true, servers: [...this.targets.values()].map(healthOf) };
  }

  /** For /status. */
  status(): HealthInput[] {
    return [...this.targets.values()].map((target) => {
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
    for (const target of this.targets.values()) target.stop();
    this.targets.clear();
    this.changes.clear();
  }

  private add(upstream: string, server: ServerConfig, health: HealthConfig, added: HealthTarget[]): HealthTarget {
    const target = new HealthTarget(upstream, server, health, this.resources);
    added.push(target);
    this.metrics.state(upstream, server.name, target.health);
    return target;
  }

  private remove(target: HealthTarget): void {
    target.stop();
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

function healthOf({ upstream, server, health, reason }: HealthTarget): ServerHealth {
  const up = health === 'up';
  return { upstream, server: server.name, up, ...(up || reason === '' ? {} : { reason: `health check: ${reason}` }) };
}
