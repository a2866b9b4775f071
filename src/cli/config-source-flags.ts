import type { ConfigOverrides, ConfigSource } from '../config/config-source.ts';
import { defaultConfigFiles, findConfigFile } from './config-lookup.ts';
import { UsageError } from './usage-error.ts';

/** The flags of `portico serve` and `portico check`, as typed. */
export interface ConfigFlags {
  readonly config?: string;
  readonly listen?: readonly string[];
  /** `PREFIX=DIR` */
  readonly static?: readonly string[];
  readonly upstream?: readonly string[];
  readonly workers?: string;
  readonly admin?: string;
  readonly accessLog?: string;
}

/**
 * Where the configuration comes from: the named file; what `--static` and `--upstream` say; or the file in the folder.
 *
 * @throws UsageError when the flags contradict each other or there is nothing to serve
 */
export function configSourceOf(flags: ConfigFlags, folder: string): ConfigSource {
  const { config, static: folders = [], upstream = [] } = flags;
  const withoutFile = folders.length > 0 || upstream.length > 0;
  if (config !== undefined && withoutFile) {
    throw new UsageError('--static and --upstream serve without a file; with -c FILE put them into the file');
  }
  const overrides = overridesOf(flags);
  if (withoutFile) {
    return { kind: 'flags', static: folders.map(parseStaticFlag), upstream, baseFolder: folder, ...overrides };
  }
  const path = config ?? findConfigFile(folder);
  if (path !== undefined) return { kind: 'file', path, overrides };
  throw new UsageError(
    `there is nothing to serve: none of ${defaultConfigFiles.join(', ')} is here.\n` +
      'Name a file with -c FILE, or serve without one:\n' +
      '  portico serve --static /static/=./staticfiles --upstream 127.0.0.1:8000',
  );
}

function overridesOf({ listen, workers, admin, accessLog }: ConfigFlags): ConfigOverrides {
  return {
    ...(listen !== undefined && { listen }),
    ...(workers !== undefined && { workers }),
    ...(admin !== undefined && { admin }),
    ...(accessLog !== undefined && { accessLog }),
  };
}

function parseStaticFlag(text: string): { prefix: string; folder: string } {
  const equals = text.indexOf('=');
  const prefix = text.slice(0, equals);
  const folder = text.slice(equals + 1);
  if (equals < 1 || folder === '' || !prefix.startsWith('/')) {
    throw new UsageError(
      `--static ${text}: expected PREFIX=DIR with a prefix that starts with /, such as /static/=./staticfiles`,
    );
  }
  return { prefix, folder };
}
