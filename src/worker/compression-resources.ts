import { CodedForms } from '../compression/coded-forms.ts';
import { CompressionMetrics } from '../compression/compression-metrics.ts';
import { FlushClock } from '../compression/flush-clock.ts';
import { KeptForms } from '../compression/kept-forms.ts';
import type { CompressionResources } from '../compression/route-compression.ts';
import type { Config } from '../config/config.ts';
import { GaugedBudget } from '../metrics/gauged-budget.ts';
import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';

/** What compression shares in a worker; it lives on over reloads, with the limits of the new configuration. */
export function compressionResources(
  { compression }: Config,
  recorder: Recorder,
  former: CompressionResources | undefined,
): CompressionResources {
  if (former !== undefined) return former;
  const forms = new CodedForms(formLimits(compression), recorder);
  return {
    clock: new FlushClock(),
    budget: new GaugedBudget(compression.memory, recorder.gauge(metricNames.compressionMemory, {})),
    metrics: new CompressionMetrics(recorder),
    forms,
    kept: new KeptForms(compression.formMemory, forms, recorder.gauge(metricNames.compressionFormBytes, {})),
  };
}

/** Takes the limits of a new configuration. */
export function configureCompression({ budget, forms, kept }: CompressionResources, { compression }: Config): void {
  budget.configure(compression.memory);
  forms.configure(formLimits(compression));
  kept.configure(compression.formMemory);
}

function formLimits({ threads, queue, maxStored }: Config['compression']): ConstructorParameters<typeof CodedForms>[0] {
  return { threads, queue, maxBody: maxStored };
}
