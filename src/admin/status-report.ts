import type { AdmissionState, ServerState, ServerStateOrder, WorkerState } from '../ipc/message.ts';
import type { ZoneReport } from './cache-report.ts';

/** What the primary knows of itself. Times are milliseconds of `Date.now()`. */
export interface StatusInput {
  readonly version: string;
  /** Which listener engine and build runs. */
  readonly engine: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly now: number;
  readonly ready: boolean;
  readonly reason: string;
  readonly workers: readonly WorkerInput[];
  readonly config: ConfigInput;
  /** Undefined before the first reload. */
  readonly lastReload: ReloadResult | undefined;
  /** Replacement of workers under way. */
  readonly roll?: RollReport | undefined;
  readonly lastRoll?: RollReport | undefined;
  /** What was said of servers while the program runs. */
  readonly serverStates?: readonly ServerStateOrder[];
  /** The zones of the cache; empty where there are none. */
  readonly caches?: readonly ZoneReport[];
  /** What active checks say; empty where there are none. */
  readonly health?: readonly HealthInput[];
}

/** Why workers are replaced: it was asked for, a reload has changed what a worker reads at its start, or one had too much memory. */
export type RollReason = 'request' | 'configuration' | 'memory';

/** How far a replacement of workers has come, or came. */
export interface RollReport {
  readonly reason: RollReason;
  readonly startedAt: number;
  /** Workers to be replaced. */
  readonly workers: number;
  /** Those that were. */
  readonly replaced: number;
  /** Requests that outlived `shutdownTimeout` in a predecessor. */
  readonly cut: number;
  /** Undefined while it is under way. */
  readonly endedAt?: number;
  /** Why it ended early; the workers that there were go on. */
  readonly error?: string;
}

/** A server that the primary checks. */
export interface HealthInput {
  readonly upstream: string;
  readonly server: string;
  /** `unknown` before the first check. */
  readonly health: 'up' | 'down' | 'unknown';
  /** What the last check found wrong. */
  readonly reason?: string;
  /** When it ended. */
  readonly checkedAt?: number;
}

export interface WorkerInput {
  readonly slot: number;
  readonly pid: number | undefined;
  /** What it is doing: `starting`, `ready`, `draining`, `waiting`. A slot has two workers while one replaces the other. */
  readonly phase: string;
  /** Times that a worker of this slot was replaced. */
  readonly restarts: number;
  /** What it said last, and when. Undefined before its first report. */
  readonly state: WorkerState | undefined;
  readonly reportedAt: number | undefined;
}

export interface ConfigInput {
  /** The file, or `command line`. */
  readonly source: string;
  readonly hash: string;
  readonly generation: number;
  readonly loadedAt: number;
}

export interface ReloadResult {
  readonly at: number;
  readonly success: boolean;
  /** Why it was refused. */
  readonly error?: string;
}

/** The answer of /status: plain data, nothing of the configuration but its hash, because it may hold secrets. */
export function buildStatusReport(input: StatusInput) {
  const { config, lastReload } = input;
  return {
    version: input.version,
    node: process.versions.node,
    engine: input.engine,
    pid: input.pid,
    ready: input.ready,
    reason: input.reason,
    startedAt: isoTime(input.startedAt),
    uptimeSeconds: secondsBetween(input.startedAt, input.now),
    config: { ...config, loadedAt: isoTime(config.loadedAt) },
    lastReload: lastReload === undefined ? null : { ...lastReload, at: isoTime(lastReload.at) },
    roll: rollStatus(input.roll),
    lastRoll: rollStatus(input.lastRoll),
    caches: input.caches ?? [],
    workers: input.workers.map((worker) => workerStatus(worker, input.now)),
    upstreams: upstreamStatus(
      input.workers.flatMap(({ state }) => state?.servers ?? []),
      input.serverStates ?? [],
      input.health ?? [],
    ).map((upstream) => ({ ...upstream, ...admissionStatus(upstream.name, input.workers) })),
  };
}

function rollStatus(roll: RollReport | undefined) {
  if (roll === undefined) return null;
  const { startedAt, endedAt, ...rest } = roll;
  return { ...rest, startedAt: isoTime(startedAt), ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }) };
}

function workerStatus({ slot, pid, phase, restarts, state, reportedAt }: WorkerInput, now: number) {
  return {
    slot,
    pid: pid ?? null,
    phase,
    restarts,
    generation: state?.generation ?? null,
    inFlight: state?.inFlight ?? 0,
    connections: state?.connections ?? 0,
    rssBytes: state?.rssBytes ?? 0,
    listeners: (state?.listeners ?? []).map(({ address }) => address),
    /** Grows while a worker is stuck. */
    reportAgeSeconds: reportedAt === undefined ? null : secondsBetween(reportedAt, now),
  };
}

/** What one server looks like from all workers together. */
interface ServerStatus {
  readonly server: string;
  /** `up` for every worker, for none (`down`), or for some (`partly`). */
  state: 'up' | 'partly' | 'down';
  /** Why it does not take requests, as a worker sees it for which it does not. */
  condition: ServerState['condition'];
  weight: number;
  /** The least that it has in a worker for now: less than `weight` while it starts slowly. */
  effectiveWeight: number;
  backup: boolean;
  active: number;
  idle: number;
  workersUp: number;
  workers: number;
  /** Workers that pass it over for what their requests met. */
  ejectedBy: number;
  /** What active checks say, and what the last one found wrong. Absent where it is not checked. */
  health?: HealthInput['health'];
  healthReason?: string;
  lastCheck?: string;
  /** The last error that a worker backed off for. */
  lastError?: string;
  /** What was said of it while the program runs; counts instead of the configuration. */
  ordered?: ServerStateOrder['state'];
}

function upstreamStatus(
  states: readonly ServerState[],
  orders: readonly ServerStateOrder[],
  checks: readonly HealthInput[],
) {
  const upstreams = new Map<string, Map<string, ServerStatus>>();
  for (const state of states) {
    const servers = upstreams.get(state.upstream) ?? new Map<string, ServerStatus>();
    upstreams.set(state.upstream, servers);
    const server = servers.get(state.server) ?? newServer(state);
    servers.set(state.server, server);
    addState(server, state);
  }
  for (const order of orders) {
    const server = upstreams.get(order.upstream)?.get(order.server);
    if (server !== undefined) server.ordered = order.state;
  }
  for (const check of checks) {
    const server = upstreams.get(check.upstream)?.get(check.server);
    if (server !== undefined) addCheck(server, check);
  }
  return [...upstreams].map(([name, servers]) => ({ name, servers: [...servers.values()] }));
}

/** What waits in front of an upstream, in all workers, and the circuit where it is worst; null without a circuit breaker. */
function admissionStatus(name: string, workers: readonly WorkerInput[]) {
  const all = workers.flatMap(({ state }) => state?.admissions ?? []).filter(({ upstream }) => upstream === name);
  const sum = (part: (one: AdmissionState) => number): number => all.reduce((total, one) => total + part(one), 0);
  const circuit = (['open', 'half-open', 'closed'] as const).find((state) => all.some((one) => one.circuit === state));
  return { queued: sum((one) => one.queued), held: sum((one) => one.held), circuit: circuit ?? null };
}

function newServer({ server, weight, effectiveWeight, backup }: ServerState): ServerStatus {
  const sums = { active: 0, idle: 0, workersUp: 0, workers: 0, ejectedBy: 0 };
  return { server, state: 'down', condition: 'up', weight, effectiveWeight, backup, ...sums };
}

function addState(server: ServerStatus, state: ServerState): void {
  server.active += state.active;
  server.idle += state.idle;
  server.workers += 1;
  if (state.condition !== 'up') server.condition = state.condition;
  server.effectiveWeight = Math.min(server.effectiveWeight, state.effectiveWeight);
  if (state.condition === 'ejected') server.ejectedBy += 1;
  if (state.up) server.workersUp += 1;
  else if (state.lastError !== undefined) server.lastError = state.lastError;
  server.state = server.workersUp === server.workers ? 'up' : server.workersUp === 0 ? 'down' : 'partly';
}

function addCheck(server: ServerStatus, { health, reason, checkedAt }: HealthInput): void {
  server.health = health;
  if (reason !== undefined) server.healthReason = reason;
  if (checkedAt !== undefined) server.lastCheck = isoTime(checkedAt);
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

function secondsBetween(from: number, to: number): number {
  return Math.round(Math.max(0, to - from)) / 1000;
}
