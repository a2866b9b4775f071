import { createHash } from 'node:crypto';
import type { RedisConfig } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Gauge, Recorder } from '../metrics/recorder.ts';

/** Longest time to make a connection, and silence after which one counts as broken (asked for each second), milliseconds. */
const connectMs = 2000;
const silenceMs = 3000;
const pingMs = 1000;
/** Longest pause between two attempts to connect. */
const mostReconnectMs = 2000;

/**
 * GCRA for many keys at once, by the clock of Redis, in microseconds. What a key is ahead is bounded, so that a clock set
 * back there does not shut anybody out for long. Gives how far each key is ahead.
 */
const script = `local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])
local most = tonumber(ARGV[2])
local ahead = {}
for index, key in ipairs(KEYS) do
  local due = tonumber(redis.call('GET', key) or 0)
  if due < now then due = now end
  due = math.min(due + tonumber(ARGV[index + 2]) * interval, now + most)
  redis.call('SET', key, string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000) + 1000)
  ahead[index] = math.floor(due - now)
end
return ahead`;
const scriptHash = createHash('sha1').update(script).digest('hex');

/** Requests of the keys of a zone, and how these are counted. */
export interface StoredBatch {
  readonly keys: readonly string[];
  readonly requests: readonly number[];
  /** Milliseconds from one request to the next. */
  readonly interval: number;
  /** Most requests that a key may be ahead. */
  readonly most: number;
}

/** The part of a Redis client that is used. */
interface Client {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(parts: string[]): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The counts that machines share in Redis. Where it is away everything answers at once that it is. */
export class RedisStore {
  private readonly config: RedisConfig;
  private readonly logger: Logger;
  private readonly up: Gauge;
  private readonly succeeded: Counter;
  private readonly failed: Counter;
  private client: Client | undefined;
  private isUp: boolean | undefined;
  private closed = false;

  constructor(config: RedisConfig, logger: Logger, recorder: Recorder) {
    this.config = config;
    this.logger = logger;
    this.up = recorder.gauge(metricNames.rateLimitRedisUp, {});
    this.succeeded = recorder.counter(metricNames.rateLimitRedisBatches, { result: 'success' });
    this.failed = recorder.counter(metricNames.rateLimitRedisBatches, { result: 'failure' });
    this.up.set(0);
    void this.open();
  }

  /** Whether there is a connection. */
  get ready(): boolean {
    return this.client?.isReady === true;
  }

  /** @returns how many requests each key is ahead of its rate, over all machines; undefined when Redis does not say */
  async add(zone: string, batch: StoredBatch): Promise<number[] | undefined> {
    const { prefix, timeout } = this.config;
    const microseconds = batch.interval * 1000;
    const keys = batch.keys.map((key) => `${prefix}${zone}:${key}`);
    const values = [microseconds, batch.most * microseconds, ...batch.requests].map(String);
    const rest = [String(keys.length), ...keys, ...values];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout);
    });
    try {
      const answer = await Promise.race([this.evaluate(rest), late]);
      if (!Array.isArray(answer) || answer.length !== keys.length) throw new Error('an answer of another kind');
      this.succeeded.add(1);
      this.tell(true, '');
      return answer.map((ahead) => Number(ahead) / microseconds);
    } catch (error) {
      this.failed.add(1);
      this.tell(false, error instanceof Error ? error.message : String(error));
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.closed = true;
    this.up.set(Number.NaN);
    this.client?.destroy();
    this.client = undefined;
  }

  private async evaluate(rest: string[]): Promise<unknown> {
    const { client } = this;
    if (client === undefined || !client.isReady) throw new Error('not connected');
    try {
      return await client.sendCommand(['EVALSHA', scriptHash, ...rest]);
    } catch (error) {
      // A server that has been started anew does not know it.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.sendCommand(['EVAL', script, ...rest]);
    }
  }

  /** Loaded only where it is needed. */
  private async open(): Promise<void> {
    const { createClient } = await import('./redis-client.ts');
    if (this.closed) return;
    const client: Client = createClient({
      url: this.config.url,
      disableOfflineQueue: true,
      commandsQueueMaxLength: 100,
      pingInterval: pingMs,
      socket: {
        connectTimeout: connectMs,
        socketTimeout: silenceMs,
        reconnectStrategy: (attempts) =>
          Math.min(50 * 2 ** Math.min(attempts, 10), mostReconnectMs) * (0.75 + Math.random() / 2),
      },
    });
    this.client = client;
    client.on('error', (error) => this.tell(false, error.message));
    // Whatever becomes of it is told by `error`.
    client.connect().catch(() => undefined);
  }

  private tell(isUp: boolean, reason: string): void {
    if (this.closed || this.isUp === isUp) return;
    this.isUp = isUp;
    this.up.set(isUp ? 1 : 0);
    if (isUp) this.logger.info('limits are shared in Redis');
    else this.logger.warn('Redis is away: limits that are shared there hold for this machine alone', { reason });
  }
}
