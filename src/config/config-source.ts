/** Values from the command line that take the place of what the file says. Undefined: the file's. */
export interface ConfigOverrides {
  readonly listen?: readonly string[];
  /** `auto` or a number, as typed. */
  readonly workers?: string;
  /** An address, or `off`. */
  readonly admin?: string;
  /** `stdout`, `stderr`, a path relative to the working directory, or `off`. */
  readonly accessLog?: string;
}

/** A configuration file. */
interface FileSource {
  readonly kind: 'file';
  /** `.yaml`, `.yml`, `.json`, or a module: `.ts`, `.mts`, `.js`, `.mjs`, `.cjs`. Relative to the working directory. */
  readonly path: string;
  readonly overrides?: ConfigOverrides;
}

/** No file: the whole configuration stands on the command line. */
export interface FlagsSource extends ConfigOverrides {
  readonly kind: 'flags';
  /** Folders served under a path prefix. */
  readonly static: readonly { readonly prefix: string; readonly folder: string }[];
  /** Servers of the one upstream, `app`. */
  readonly upstream: readonly string[];
  /** Folder that relative paths start from. */
  readonly baseFolder: string;
}

/** Where a configuration comes from. */
export type ConfigSource = FileSource | FlagsSource;
