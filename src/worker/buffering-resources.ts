import type { Config } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { BufferingMetrics, type BufferingResources } from '../proxy/buffering.ts';
import { SpoolDirectory } from '../spool/spool-directory.ts';
import { ReadBufferPool } from '../static/read-buffer-pool.ts';

/** How long a body waits for memory to be sent from. */
const memoryWaitMs = 60_000;

/** What bodies are kept in; it lives on over reloads, with the limits of the new configuration. */
export function bufferingResources(
  { spool }: Config,
  recorder: Recorder,
  logger: Logger,
  former: BufferingResources | undefined,
): BufferingResources {
  if (former !== undefined) return former;
  return {
    spool: new SpoolDirectory(spool, recorder, logger),
    memory: new ReadBufferPool(spool.memory, recorder, memoryWaitMs, metricNames.bufferMemory),
    requests: new BufferingMetrics(recorder, 'request'),
    responses: new BufferingMetrics(recorder, 'response'),
  };
}

/** Takes the limits of a new configuration. */
export function configureBuffering({ spool, memory }: BufferingResources, config: Config): void {
  spool.configure(config.spool);
  memory.configure(config.spool.memory);
}
