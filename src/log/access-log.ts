import type { Config } from '../config/config.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { createCombinedFormat } from './combined-format.ts';
import { createJsonFormat } from './json-format.ts';
import type { LineFormat } from './line-format.ts';
import { LineWriter } from './line-writer.ts';
import type { Logger } from './logger.ts';
import { RepeatedLog } from './repeated-log.ts';

export type AccessLogConfig = Exclude<Config['accessLog'], false>;

/** Characters kept of each field that the client sent, so that a line fits: the first that does is used. */
const fieldLengths = [2048, 512, 96] as const;

/** For so long the clock of the system is taken to go on without a jump. */
const clockTrustMs = 250;

/** One line a request, once it has finished. NGINX: `access_log`. */
export class AccessLog {
  readonly #config: AccessLogConfig;
  readonly #format: LineFormat;
  readonly #writer: LineWriter;
  readonly #dropped: Counter;
  readonly #problems: RepeatedLog;
  /** What is to be added to `performance.now()` for the time of day, and when that was found out. */
  #clockOffset = 0;
  #clockReadAt = Number.NEGATIVE_INFINITY;

  /** @throws the system's error when the file cannot be opened */
  constructor(config: AccessLogConfig, recorder: Recorder, logger: Logger) {
    this.#config = config;
    this.#format = config.format === 'json' ? createJsonFormat() : createCombinedFormat();
    this.#dropped = recorder.counter(metricNames.accessLogDropped, {});
    this.#problems = new RepeatedLog(logger);
    this.#writer = new LineWriter({
      path: config.path,
      flushIntervalMs: config.flushInterval,
      onDropped: (lines) => this.#drop(lines),
      onError: (error) => this.#fail(error),
    });
  }

  /** @param finishedAt `performance.now()` when the exchange had finished */
  write(context: RequestContext, finishedAt: number): void {
    const times = { time: this.#timeAt(finishedAt), durationMs: finishedAt - context.startedAt };
    for (const length of fieldLengths) {
      const line = this.#format(context, times, length);
      if (this.#fits(line)) {
        this.#writer.append(line);
        return;
      }
    }
    this.#drop(1);
  }

  /** SIGUSR2: after logrotate moved the file. No line is lost. */
  reopen(): void {
    this.#writer.reopen();
  }

  /** Starts to write what waits in memory. */
  flush(): void {
    this.#writer.flush();
  }

  /** Writes what waits, for two seconds at most. Lines that come later are lost. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  /** The time of day at that moment: asking the system once is enough for many lines, unless its clock is set meanwhile. */
  #timeAt(moment: number): number {
    if (moment - this.#clockReadAt > clockTrustMs) {
      this.#clockReadAt = moment;
      this.#clockOffset = Date.now() - performance.now();
    }
    return Math.floor(this.#clockOffset + moment);
  }

  #fits(line: string): boolean {
    const { maxLine } = this.#writer;
    return line.length * 3 < maxLine || Buffer.byteLength(line) < maxLine;
  }

  #drop(lines: number): void {
    this.#dropped.add(lines);
    this.#problems.warn('dropped', 'access log lines were dropped: the target takes them too slowly, or not at all', {
      path: this.#config.path,
    });
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#problems.warn(error.code ?? 'failed', 'the access log cannot be written', {
      path: this.#config.path,
      error,
    });
  }
}
