import type { Gauge, Registry, RegistryContentType } from 'prom-client';
import type { MetricFamily } from './metric-family.ts';

/** The metrics in one of the formats that Prometheus reads. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

type Format = 'text' | 'openMetrics';
type Registries = Readonly<Record<Format, Registry<RegistryContentType>>>;

/** Renders families through prom-client: one registry for each format, because it binds a registry to its format. */
export class ExpositionRenderer {
  readonly #families: readonly MetricFamily[];
  /** Made at the first scrape: prom-client is slow to load, and the start does not wait for it. */
  #registries: Promise<Registries> | undefined;
  /** Scrapes that come while one is being rendered share its result, so that many scrapers cost as much as one. */
  readonly #running = new Map<Format, Promise<Exposition>>();

  constructor(families: Iterable<MetricFamily>) {
    this.#families = [...families];
  }

  render(accept: string | undefined): Promise<Exposition> {
    const format = prefersOpenMetrics(accept) ? 'openMetrics' : 'text';
    let running = this.#running.get(format);
    if (running === undefined) {
      running = this.#render(format).finally(() => this.#running.delete(format));
      this.#running.set(format, running);
    }
    return running;
  }

  async #render(format: Format): Promise<Exposition> {
    this.#registries ??= makeRegistries(this.#families);
    const registry = (await this.#registries)[format];
    const body = await registry.metrics();
    return { contentType: registry.contentType, body };
  }
}

async function makeRegistries(families: readonly MetricFamily[]): Promise<Registries> {
  const client = await import('prom-client');
  const text = new client.Registry<RegistryContentType>();
  const openMetrics = new client.Registry<RegistryContentType>();
  openMetrics.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE);
  for (const family of families) {
    register(text, family, family.definition.name);
    register(openMetrics, family, openMetricsName(family));
  }
  return { text, openMetrics };
}

function register(registry: Registry<RegistryContentType>, family: MetricFamily, name: string): void {
  const { help, type } = family.definition;
  const metric = {
    name,
    // prom-client cuts `_total` off the names of what calls itself a counter; here the name is right already.
    type: 'gauge',
    async get() {
      const values = family.samples().map((sample) => {
        const own = sample.name === family.definition.name;
        return { value: sample.value, labels: sample.labels, ...(own ? {} : { metricName: sample.name }) };
      });
      return { name, help, type, values };
    },
  };
  // Its own metric classes cannot be given the finished sums of a histogram. All that a registry asks of a metric is
  // its name and `get`.
  registry.registerMetric(metric as unknown as Gauge);
}

/** OpenMetrics names the family of a counter without the suffix of its samples. */
function openMetricsName(family: MetricFamily): string {
  const { name, type } = family.definition;
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}

/** Whether the Accept field (RFC 9110 section 12.5.1) ranks OpenMetrics 1.0 at least as high as plain text. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let openMetrics = 0;
  let text = 0;
  for (const range of accept.split(',', 32)) {
    const [type = '', ...parameters] = range.split(';', 16).map((part) => part.trim().toLowerCase());
    const weight = quality(parameters);
    if (type === 'application/openmetrics-text' && versionAccepted(parameters)) {
      openMetrics = Math.max(openMetrics, weight);
    } else if (type === 'text/plain') {
      text = Math.max(text, weight);
    }
  }
  return openMetrics > 0 && openMetrics >= text;
}

function quality(parameters: readonly string[]): number {
  const parameter = parameters.find((text) => text.startsWith('q='));
  if (parameter === undefined) return 1;
  const value = Number(parameter.slice(2));
  return value >= 0 && value <= 1 ? value : 0;
}

function versionAccepted(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith('version='));
  return version === undefined || version.slice(8).replaceAll('"', '') === '1.0.0';
}
