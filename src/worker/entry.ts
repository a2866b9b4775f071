/** The process of a worker: connects a Worker to the primary's messages and to the signals. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ToPrimary, ToWorker } from '../ipc/message.ts';
import { combinedEngines } from '../listener/combined-engine.ts';
import { createNodeEngine } from '../listener/node-engine.ts';
import { createUwsEngine } from '../listener/uws-engine.ts';
import { loadUws } from '../listener/uws-module.ts';
import { createLogger } from '../log/logger.ts';
import { WorkerRecorder } from '../metrics/worker-recorder.ts';
import { WorkerVitals } from '../metrics/worker-vitals.ts';
import { Worker } from './worker.ts';

const reportIntervalMs = 1000;
/** A worker whose primary has died finishes what it has, but nobody waits for it longer than this. */
const orphanTimeoutMs = 10_000;
const compatibilityWarning =
  'the older, compatible build of uWebSockets.js runs; the current one needs Node.js 24 and a C library of 2.38 or newer';

const slot = process.env['PORTICO_WORKER'] ?? '0';
const rootLogger = createLogger({ level: 'info', format: 'auto', stream: process.stderr });
const logger = rootLogger.child({ worker: slot });
const recorder = new WorkerRecorder();
const vitals = new WorkerVitals(recorder, slot);
const createEngine = combinedEngines({ uws: createUwsEngine, node: createNodeEngine });
const worker = new Worker({ createEngine, recorder, logger, send });
let stopping = false;

// A defect in one request must not take the others with it: it is logged, and the request runs into its timeout.
process.on('uncaughtException', (error) => logger.error('uncaught exception', { error }));
process.on('unhandledRejection', (reason) => logger.error('unhandled rejection', { error: reason }));
// A terminal sends these to the whole group: the primary decides what they mean.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => undefined);
process.on('SIGTERM', () => void stop(orphanTimeoutMs));
// A worker that shares listening sockets is one of Node's cluster, which would exit at once here.
process.removeAllListeners('disconnect');
process.on('disconnect', () => void stop(orphanTimeoutMs));
process.on('message', (message) => void receive(message as ToWorker));

const reports = setInterval(() => report(), reportIntervalMs);
reports.unref();
sayHello();

/** Tells the primary in answer to its first message which engine serves where none is asked for. */
function sayHello(): void {
  const { pid } = process;
  try {
    const { name, compatibility } = loadUws();
    send({ type: 'hello', pid, engine: name, ...(compatibility ? { warning: compatibilityWarning } : {}) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const warning = `the slower engine on node sockets serves everything: ${why}`;
    send({ type: 'hello', pid, engine: `Node.js ${process.versions.node}`, warning });
  }
}

async function receive(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'configure':
      rootLogger.configure(message.config.log);
      return worker.configure(message);
    case 'report':
      return report(message.id);
    case 'reopen-logs':
      return worker.reopenLogs();
    case 'server-state':
      return worker.setServerState(message);
    case 'capacity':
      return worker.takeCapacity(message.orders);
    case 'cache-store':
      return worker.takeCacheOrders(message.orders);
    case 'cache-lock':
      return worker.takeCacheLock(message);
    case 'cache-explain':
      return worker.explainCache(message);
    case 'cache-purge':
    case 'cache-purge-done':
      return worker.takePurge(message);
    case 'holds':
      return worker.takeHolds(message.zones);
    case 'rates':
      return worker.takeRates(message.zones);
    case 'acme-challenges':
      return worker.takeChallenges(message);
    case 'ocsp-staples':
      return worker.takeStaples(message.staples);
    case 'ticket-key':
      return worker.setTicketKey(Buffer.from(message.key));
    case 'health':
      return worker.setHealth(message);
    case 'drain':
      return stop(message.timeoutMs, message.awaitIdle);
  }
}

function report(id?: number): void {
  vitals.sample();
  worker.report(id);
}

async function stop(timeoutMs: number, awaitIdle = false): Promise<void> {
  if (stopping) {
    if (!awaitIdle) worker.hurry();
    return;
  }
  stopping = true;
  const cut = await worker.drain(timeoutMs, awaitIdle);
  if (cut > 0) logger.warn(`stopped with ${cut} requests in flight`, { requests: cut });
  send({ type: 'drained', cut });
  if (process.connected) process.disconnect();
  // Whatever still holds the event loop has had its time.
  await delay(1000, undefined, { ref: false });
  process.exit(0);
}

function send(message: ToPrimary): void {
  if (!process.connected) return;
  process.send?.(message, (error: Error | null) => {
    if (error !== null && process.connected) logger.warn('a message to the primary was lost', { error });
  });
}
