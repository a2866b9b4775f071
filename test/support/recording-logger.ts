import type { LogFields, Logger, LogLevel, LogSettings, RootLogger } from '../../src/log/logger.ts';

/** Keeps what is logged, for a test to read. */
export class RecordingLogger implements RootLogger {
  /** What it was told to be, last. */
  settings: LogSettings | undefined;
  readonly entries: { readonly level: LogLevel; readonly message: string; readonly fields: LogFields }[] = [];

  /** The messages of a level, or all. */
  messages(level?: LogLevel): string[] {
    return this.entries.filter((entry) => level === undefined || entry.level === level).map((entry) => entry.message);
  }

  debug(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: 'debug', message, fields });
  }

  info(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: 'info', message, fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: 'warn', message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.entries.push({ level: 'error', message, fields });
  }

  child(): Logger {
    return this;
  }

  configure(settings: LogSettings): void {
    this.settings = settings;
  }
}
