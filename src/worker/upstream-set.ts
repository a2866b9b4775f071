import { Admission, type AdmissionResources } from '../balancer/admission.ts';
import type { UpstreamConfig } from '../config/config.ts';
import type { OutlierDetector } from '../health/outlier-detector.ts';
import type { AdmissionState, HealthReport, ServerState, ServerStateOrder } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import { RepeatedLog } from '../log/repeated-log.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { HandedTlsFiles, type TlsFileContents } from '../tls/tls-files.ts';
import { type UpstreamContext, UpstreamContexts } from '../tls/upstream-context.ts';
import { UpstreamFileWatch } from '../tls/upstream-file-watch.ts';
import type { Server } from '../upstream/server.ts';
import { Upstream } from '../upstream/upstream.ts';
import { createOutlierDetector } from './passive-health.ts';
import { ServerHealthBook } from './server-health.ts';

/** An upstream and the gate in front of it. */
export interface UpstreamEntry {
  readonly upstream: Upstream;
  readonly admission: Admission;
}

interface OwnedEntry extends UpstreamEntry {
  config: UpstreamConfig;
  readonly outliers: OutlierDetector<Server>;
}

/** Longest silence about the ejections or failed handshakes of one server, milliseconds. */
const serverLogMs = 10_000;

/** The upstreams of a worker by name; they and their connections outlive reloads. */
export class UpstreamSet {
  private readonly recorder: Recorder;
  private readonly resources: AdmissionResources;
  private readonly byName = new Map<string, OwnedEntry>();
  private readonly orders = new Map<string, ServerStateOrder>();
  private readonly health = new ServerHealthBook();
  private readonly ejectionLog: RepeatedLog;
  private readonly handshakeLog: RepeatedLog;
  private readonly contexts = new UpstreamContexts();
  private readonly files: UpstreamFileWatch;

  constructor(recorder: Recorder, logger: Logger, capacity: AdmissionResources['capacity']) {
    this.recorder = recorder;
    this.resources = { recorder, logger, capacity };
    this.ejectionLog = new RepeatedLog(logger, serverLogMs);
    this.handshakeLog = new RepeatedLog(logger, serverLogMs);
    this.files = new UpstreamFileWatch(logger, (name, context) => this.takeContext(name, context));
  }

  /**
   * Reads the files of a configuration that is about to come into force.
   * @throws CertificateError when one cannot be used
   */
  prepare(configs: Readonly<Record<string, UpstreamConfig>>): void {
    this.contexts.read(configs);
  }

  /** The upstream of that configuration: made when it is new, otherwise changed by `applyConfig`. */
  get(config: UpstreamConfig): UpstreamEntry {
    let entry = this.byName.get(config.name);
    if (entry === undefined) {
      const upstream = new Upstream(config, this.recorder, undefined, this.contexts.get(config.name));
      const outliers = createOutlierDetector(upstream, config, this.recorder, this.ejectionLog);
      entry = { upstream, admission: new Admission(upstream, this.resources), config, outliers };
      entry.admission.observer = outliers;
      this.byName.set(config.name, entry);
      const { admission } = entry;
      upstream.onHandshakeFailure = (server, { message, fault }) => {
        const fields = { upstream: upstream.name, server, fault };
        this.handshakeLog.warn(
          `${upstream.name} ${server}`,
          `server ${server} of upstream ${upstream.name}: ${message}`,
          fields,
        );
      };
      upstream.onServersChange = () => {
        this.tellServers(upstream);
        admission.reconfigure();
      };
      this.tellServers(upstream);
    }
    return entry;
  }

  /** Takes what active checks found, and says it again to servers that come later. */
  setHealth(report: HealthReport): void {
    this.health.take(report);
    for (const { upstream, config } of this.byName.values()) this.health.apply(upstream, config);
  }

  /** Takes what the operator says of a server, and says it again of one that comes later. */
  setServerState(order: ServerStateOrder): void {
    this.orders.set(`${order.upstream} ${order.server}`, order);
    const entry = this.byName.get(order.upstream);
    if (entry !== undefined) obey(entry.upstream, order);
  }

  /** Brings every upstream to the new configuration and lets go of those that are not in it any more. */
  applyConfig(configs: Readonly<Record<string, UpstreamConfig>>): void {
    for (const [name, entry] of this.byName) {
      const { upstream, admission, outliers } = entry;
      const config = configs[name];
      if (config !== undefined) {
        upstream.reconfigure(config, this.contexts.get(name));
        entry.config = config;
        outliers.configure(config.passiveHealth);
        this.tellServers(upstream);
        admission.reconfigure();
      } else {
        upstream.close();
        this.byName.delete(name);
      }
    }
    this.files.follow(configs, (name) => this.contexts.get(name));
  }

  admissions(): AdmissionState[] {
    return [...this.byName.values()].map(({ admission }) => admission.state);
  }

  states(): ServerState[] {
    return [...this.byName.values()].flatMap(({ upstream }) => upstream.states());
  }

  /**
   * Takes what is in the files of TLS, which are not read from now on.
   * @param renews whether they are put in force at once; otherwise a configuration follows
   */
  takeFiles(contents: TlsFileContents, renews: boolean): void {
    const handed = new HandedTlsFiles(contents);
    this.contexts.source = handed;
    this.files.takeFiles(handed);
    if (renews) this.files.renew();
  }

  /** The files of an upstream have changed: connections from now on are made with what they say. */
  private takeContext(name: string, context: UpstreamContext): void {
    const entry = this.byName.get(name);
    if (entry === undefined) return;
    entry.upstream.reconfigure(entry.config, context);
    this.tellServers(entry.upstream);
    entry.admission.reconfigure();
  }

  /** Tells servers, also those that have just come, what is known of them. */
  private tellServers(upstream: Upstream): void {
    this.health.apply(upstream, upstream.config);
    for (const order of this.orders.values()) obey(upstream, order);
  }

  close(): void {
    this.files.close();
    for (const { upstream } of this.byName.values()) upstream.close();
    this.byName.clear();
  }
}

function obey(upstream: Upstream, order: ServerStateOrder): void {
  if (order.upstream !== upstream.name) return;
  for (const server of upstream.servers) {
    if (server.name === order.server) server.setState(order.state === 'configured' ? undefined : order.state);
  }
}
