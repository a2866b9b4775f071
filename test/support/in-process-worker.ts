import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblems } from '../../src/config/problem.ts';
import type { HealthReport, ToPrimary } from '../../src/ipc/message.ts';
import type { EngineFactory } from '../../src/listener/engine.ts';
import { createUwsEngine } from '../../src/listener/uws-engine.ts';
import { createLogger } from '../../src/log/logger.ts';
import { WorkerRecorder } from '../../src/metrics/worker-recorder.ts';
import { Worker } from '../../src/worker/worker.ts';
import { freePort } from './free-port.ts';
import type { SharedCache } from './shared-cache.ts';
import { SharedCapacity } from './shared-capacity.ts';

/** One whole worker in the process of the test: real sockets, no primary. */
export interface InProcessWorker {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Everything the worker said to its primary. */
  readonly messages: readonly ToPrimary[];
  /** Lines of its log. */
  readonly log: readonly string[];
  /**
   * Reloads with another configuration.
   * @param afterCheck runs between the check of the configuration and the worker's taking it
   * @returns what the worker answered
   */
  reload(yaml: string, afterCheck?: () => void): Promise<ToPrimary | undefined>;
  /** Requests that it works on. */
  inFlight(): number;
  /** Tells it what active checks found. */
  setHealth(report: HealthReport): void;
  close(): Promise<void>;
}

/**
 * @param yaml a configuration without `listen` and `admin`, and without a log unless it says which; relative paths start from `folder`
 * @param folder where the file is written; a temporary one, removed on close, when left out
 * @param capacity what it shares with other workers of the test
 * @param cache the same for a cache on disk; without it one has memory alone
 * @param createEngine what serves its port
 */
export async function startInProcessWorker(
  yaml: string,
  folder?: string,
  capacity = new SharedCapacity(),
  cache?: SharedCache,
  createEngine: EngineFactory = createUwsEngine,
): Promise<InProcessWorker> {
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'portico-worker-')));
  const port = await freePort();
  const messages: ToPrimary[] = [];
  const log: string[] = [];
  const logger = createLogger({ level: 'debug', format: 'json', stream: { write: (line: string) => log.push(line) } });
  const worker = new Worker({
    createEngine,
    recorder: new WorkerRecorder(),
    logger,
    send: (message) => {
      messages.push(message);
      toPrimary(message);
      toCache?.(message);
    },
  });
  const toCache = cache?.join(() => worker);
  const toPrimary = capacity.primaryOf((orders) => worker.takeCapacity(orders));
  let generation = 0;
  const configure = async (text: string, afterCheck?: () => void): Promise<ToPrimary | undefined> => {
    const config = await configOf(text, port, home, ++generation);
    afterCheck?.();
    await worker.configure({ type: 'configure', generation, config });
    return messages.at(-1);
  };
  const answer = await configure(yaml);
  if (answer?.type !== 'configured') throw new Error(`the worker refused: ${JSON.stringify(answer)}`);
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    messages,
    log,
    reload: configure,
    inFlight: () => {
      worker.report();
      const report = messages.pop();
      return report?.type === 'metrics' ? report.state.inFlight : 0;
    },
    setHealth: (report) => worker.setHealth(report),
    close: async () => {
      await worker.drain(100);
      if (folder === undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function configOf(yaml: string, port: number, folder: string, generation: number): Promise<Config> {
  const path = join(folder, `portico-${generation}.yaml`);
  const accessLog = /^accessLog:/m.test(yaml) ? '' : 'accessLog: false\n';
  await writeFile(path, `listen: ["127.0.0.1:${port}"]\nadmin: false\n${accessLog}${yaml}`);
  const loaded = await loadConfig({ kind: 'file', path }, process.env);
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems, { colour: false }));
  return loaded.config;
}
