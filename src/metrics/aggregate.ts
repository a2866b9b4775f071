import type { Logger } from '../log/logger.ts';
import type { MetricDefinition } from './definition.ts';
import type { MetricChild, MetricDelta } from './delta.ts';
import { type Exposition, ExpositionRenderer } from './exposition.ts';
import { MetricFamily, type Sample, type Series } from './metric-family.ts';
import { metricNames } from './names.ts';
import type { Gauge, Recorder } from './recorder.ts';
import { overflowLabel } from './series-key.ts';
import { WorkerRecorder } from './worker-recorder.ts';

export interface MetricAggregateOptions {
  readonly logger?: Logger;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
  /** The metrics there are; the table of `names.ts`. */
  readonly definitions?: Iterable<MetricDefinition>;
}

/** Where an id of a worker leads. */
interface Target {
  readonly series: Series;
  readonly bucket: number | undefined;
}

interface WorkerTable {
  readonly targets: (Target | undefined)[];
  reportedAt: number;
}

const ownKey = -1;
/** Reports may still be on their way when a worker's end is known; so many of the dead are remembered. */
const maxForgotten = 32;

/**
 * The numbers of all processes, in the primary. Workers send what they counted since their last report; it is added
 * here, so sums survive their workers, and a scrape asks nobody.
 */
export class MetricAggregate {
  /** The primary's own numbers. */
  readonly recorder: Recorder;
  readonly #own = new WorkerRecorder();
  readonly #families = new Map<string, MetricFamily>();
  readonly #workers = new Map<number, WorkerTable>();
  readonly #forgotten = new Map<number, WorkerTable>();
  readonly #renderer: ExpositionRenderer;
  readonly #logger: Logger | undefined;
  readonly #now: () => number;
  readonly #complaints = new Set<string>();
  readonly #reportAge: Gauge;

  constructor(options: MetricAggregateOptions = {}) {
    this.recorder = this.#own;
    this.#logger = options.logger;
    this.#now = options.now ?? (() => performance.now());
    for (const definition of options.definitions ?? Object.values(metricNames)) {
      const family = new MetricFamily(definition);
      // Present from the start with 0, so that a rate over it sees the first increase.
      if (definition.labels.length === 0 && definition.type !== 'gauge') family.series([]);
      this.#families.set(definition.name, family);
    }
    this.#renderer = new ExpositionRenderer(this.#families.values());
    this.#reportAge = this.recorder.gauge(metricNames.workerReportAge, {});
  }

  /**
   * Adds a report.
   * @param workerKey a number that no other worker, dead or alive, has (so not the slot). Never negative.
   */
  apply(workerKey: number, delta: MetricDelta): void {
    let table = this.#workers.get(workerKey) ?? this.#forgotten.get(workerKey);
    if (table === undefined) {
      table = { targets: [], reportedAt: 0 };
      this.#workers.set(workerKey, table);
    }
    table.reportedAt = this.#now();
    for (const child of delta.added) table.targets[child.id] = this.#target(child);
    const { values } = delta;
    for (let index = 0; index + 1 < values.length; index += 2) {
      const target = table.targets[values[index] as number];
      if (target !== undefined) this.#take(workerKey, target, values[index + 1]);
    }
  }

  /** The worker has ended: its gauges drop out, its counters stay. Reports of it that arrive later still count. */
  forget(workerKey: number): void {
    const table = this.#workers.get(workerKey);
    if (table === undefined) return;
    this.#workers.delete(workerKey);
    this.#forgotten.set(workerKey, table);
    for (const oldest of this.#forgotten.keys()) {
      if (this.#forgotten.size <= maxForgotten) break;
      this.#forgotten.delete(oldest);
    }
    for (const family of this.#families.values()) family.forget(workerKey);
  }

  /** @param accept the scraper's Accept field: OpenMetrics 1.0 where it is wanted, else the Prometheus text format 0.0.4 */
  render(accept: string | undefined): Promise<Exposition> {
    this.#reportAge.set(this.#longestSilence());
    this.apply(ownKey, this.#own.collect());
    return this.#renderer.render(accept);
  }

  /** Every series of a metric with its value now, for other purposes than a scrape. */
  samples({ name }: MetricDefinition): readonly Sample[] {
    this.apply(ownKey, this.#own.collect());
    return this.#families.get(name)?.samples() ?? [];
  }

  #longestSilence(): number {
    let oldest = this.#now();
    const now = oldest;
    for (const [key, table] of this.#workers) {
      if (key !== ownKey) oldest = Math.min(oldest, table.reportedAt);
    }
    return (now - oldest) / 1000;
  }

  #target(child: MetricChild): Target | undefined {
    const family = this.#families.get(child.name);
    if (family === undefined) return this.#complain(child.name, 'a worker reports a metric that is not known');
    const { definition } = family;
    const buckets = definition.type === 'histogram' ? (definition.buckets?.length ?? 0) : -1;
    const bucket = child.bucket ?? Number.NaN;
    const fits = buckets < 0 ? child.bucket === undefined : bucket >= -1 && bucket <= buckets;
    if (!fits || child.labels.length !== definition.labels.length) {
      return this.#complain(child.name, 'a worker reports a metric in another form than declared; it is ignored');
    }
    if (child.labels.length > 0 && child.labels.every((label) => label === overflowLabel)) {
      this.#complain(child.name, `a metric has too many label values; further ones count as ${overflowLabel}`);
    }
    return { series: family.series(child.labels), bucket: child.bucket };
  }

  #take(workerKey: number, target: Target, value: number | null | undefined): void {
    const { bucket } = target;
    const { type } = target.series.definition;
    if (type === 'gauge') {
      if (!this.#forgotten.has(workerKey)) target.series.setGauge(workerKey, value ?? Number.NaN);
      return;
    }
    // Sums never go back, whatever a worker says.
    if (typeof value !== 'number' || !(value > 0) || value === Number.POSITIVE_INFINITY) return;
    if (bucket === undefined || bucket === -1) target.series.total += value;
    else target.series.buckets[bucket] = (target.series.buckets[bucket] as number) + value;
  }

  #complain(name: string, message: string): undefined {
    if (this.#complaints.has(name) || this.#complaints.size >= 100) return;
    this.#complaints.add(name);
    this.#logger?.warn(message, { metric: name });
  }
}
