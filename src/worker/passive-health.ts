import type { UpstreamConfig } from '../config/config.ts';
import { type Ejection, OutlierDetector } from '../health/outlier-detector.ts';
import type { RepeatedLog } from '../log/repeated-log.ts';
import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Server } from '../upstream/server.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** The passive health of an upstream: who was ejected is logged and counted. */
export function createOutlierDetector(
  upstream: Upstream,
  config: Pick<UpstreamConfig, 'passiveHealth'>,
  recorder: Recorder,
  log: RepeatedLog,
): OutlierDetector<Server> {
  const ejected = (server: Server, { cause, reason, durationMs }: Ejection): void => {
    const labels = { upstream: upstream.name, server: server.name };
    recorder.counter(metricNames.upstreamEjections, { ...labels, cause }).add(1);
    const message = `server ${server.name} of upstream ${upstream.name} gets no requests for ${durationMs} ms: ${reason}`;
    log.warn(`${upstream.name} ${server.name}`, message, labels);
  };
  return new OutlierDetector(config.passiveHealth, { servers: () => upstream.servers, ejected });
}
