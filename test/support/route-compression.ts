import { CodedForms } from '../../src/compression/coded-forms.ts';
import { CompressionMetrics } from '../../src/compression/compression-metrics.ts';
import type { CompressionRules } from '../../src/compression/compression-rules.ts';
import { FlushClock } from '../../src/compression/flush-clock.ts';
import { KeptForms } from '../../src/compression/kept-forms.ts';
import { RouteCompression } from '../../src/compression/route-compression.ts';
import { compressionDefaults } from '../../src/config/compression-defaults.ts';
import { GaugedBudget } from '../../src/metrics/gauged-budget.ts';
import { FakeRecorder } from './fake-recorder.ts';

/** How a route compresses that says `compress: true`, with resources of its own. */
export function routeCompression(
  changes: Partial<CompressionRules> = {},
  memory = 64 * 1024 ** 2,
): RouteCompression & { readonly recorder: FakeRecorder } {
  const recorder = new FakeRecorder();
  const forms = new CodedForms({ threads: 1, queue: 4, maxBody: 1024 ** 2 }, recorder);
  const resources = {
    clock: new FlushClock(),
    budget: new GaugedBudget(memory, { set: () => {} }),
    metrics: new CompressionMetrics(recorder),
    forms,
    kept: new KeptForms(1024 ** 2, forms, { set: () => {} }),
  };
  const compression = new RouteCompression({ codings: undefined, ...compressionDefaults, ...changes }, resources);
  return Object.assign(compression, { recorder });
}
