import type { ConfigSource } from '../config/config-source.ts';

/** What `portico serve` was asked for. */
export interface ServeOptions {
  /** Where the configuration is read from: at start, and again at each SIGHUP. */
  readonly source: ConfigSource;
}
