import { formatJsonEntry } from './json-entry.ts';
import { formatTextEntry } from './text-entry.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Facts beside the message: numbers, texts, an `error`. Later ones of the same name replace earlier ones. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The program's log. No method ever throws. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that puts those fields on each of its lines. */
  child(fields: LogFields): Logger;
}

/** The logger that `createLogger` makes, from which all others come. */
export interface RootLogger extends Logger {
  /** Takes another level and format, at reload; its children follow. */
  configure(settings: LogSettings): void;
}

/** What `log` in the configuration says. */
export type LogSettings = Pick<LoggerOptions, 'level' | 'format'>;

/** One line before it is formatted. */
export interface LogEntry {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Where lines go: standard error, or anything else with `write`. */
export interface LogStream {
  write(text: string): unknown;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  listenerCount?(event: 'error'): number;
  readonly isTTY?: boolean;
  /** Bytes waiting in memory, for streams that buffer. */
  readonly writableLength?: number;
}

export interface LoggerOptions {
  /** Least severe level written. */
  readonly level: LogLevel;
  /** `auto`: text on a terminal, JSON otherwise. */
  readonly format: 'auto' | 'text' | 'json';
  readonly stream: LogStream;
  /** Whether a person reads; what the stream says of itself when left out. */
  readonly isTerminal?: boolean;
  readonly now?: () => Date;
}

const severity: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Bytes that may wait for a reader who does not read; beyond it lines are dropped rather than memory filled. */
const maxWaiting = 1024 * 1024;

export function createLogger(options: LoggerOptions): RootLogger {
  const { stream } = options;
  // A reader that went away (EPIPE) or a full disk must not end the program through an unheard 'error'.
  if (stream.on !== undefined && stream.listenerCount?.('error') === 0) stream.on('error', () => {});
  return new StreamRootLogger(options);
}

type Format = (entry: LogEntry) => string;

/** What a logger and its children share. */
interface LineSettings {
  level: LogLevel;
  format: Format;
}

function formatter({ format, stream, isTerminal = stream.isTTY ?? false }: LoggerOptions): Format {
  const text = format === 'text' || (format === 'auto' && isTerminal);
  if (!text) return formatJsonEntry;
  // https://no-color.org
  const colour = isTerminal && (process.env['NO_COLOR'] ?? '') === '';
  return (entry) => formatTextEntry(entry, colour);
}

class StreamLogger implements Logger {
  readonly #options: LoggerOptions;
  readonly #settings: LineSettings;
  readonly #fields: LogFields;

  constructor(options: LoggerOptions, settings: LineSettings, fields: LogFields) {
    this.#options = options;
    this.#settings = settings;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new StreamLogger(this.#options, this.#settings, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { stream, now } = this.#options;
    const settings = this.#settings;
    if (severity[level] < severity[settings.level]) return;
    if ((stream.writableLength ?? 0) > maxWaiting) return;
    try {
      const time = now?.() ?? new Date();
      stream.write(settings.format({ time, level, message, fields: { ...this.#fields, ...fields } }));
    } catch {
      // Nobody is left to tell: a getter that throws, or EAGAIN, ENOSPC, EPIPE from a synchronous stream.
    }
  }
}

class StreamRootLogger extends StreamLogger implements RootLogger {
  readonly #options: LoggerOptions;
  readonly #settings: LineSettings;

  constructor(options: LoggerOptions) {
    const settings = { level: options.level, format: formatter(options) };
    super(options, settings, {});
    this.#options = options;
    this.#settings = settings;
  }

  configure(settings: LogSettings): void {
    this.#settings.level = settings.level;
    this.#settings.format = formatter({ ...this.#options, ...settings });
  }
}
