import { dirname, extname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { tlsFolders } from '../tls/certificate-folder.ts';
import { FolderWatch } from '../tls/folder-watch.ts';
import type { TlsConfig } from '../tls/tls-config.ts';
import { diskFiles, type TlsFileContents } from '../tls/tls-files.ts';
import { namedUpstreamFiles } from '../tls/upstream-context.ts';

/** What has TLS of a configuration: listeners, and upstreams. */
type TlsFileUsers = Pick<Config, 'listen' | 'upstreams'>;

const certificateFile = new Set(['.pem', '.crt', '.key']);

/**
 * Reads certificates and keys for workers that may not, as another user than root: they get what is in the files, and again when
 * something in their folders has changed.
 */
export class TlsFileDesk {
  readonly #logger: Logger;
  readonly #announce: (files: TlsFileContents) => void;
  #config: TlsFileUsers = { listen: [], upstreams: {} };
  #watch: FolderWatch | undefined;
  #told = '';
  /** Undefined while workers read by themselves. */
  contents: TlsFileContents | undefined;

  /** @param announce tells the workers that there are now */
  constructor(logger: Logger, announce: (files: TlsFileContents) => void) {
    this.#logger = logger;
    this.#announce = announce;
  }

  /** Reads what that configuration takes, for workers that are told of it. */
  prepare(config: Config): void {
    if (config.account === undefined) return;
    this.contents = contentsOf(config);
  }

  /** The configuration that counts: its folders are watched. */
  settle(config: Config): void {
    this.#watch?.close();
    if (config.account === undefined) return;
    this.#config = config;
    this.contents = contentsOf(config);
    this.#told = JSON.stringify(this.contents);
    const folders = [
      ...config.listen.flatMap(({ tls }) => (tls === undefined ? [] : tlsFolders(tls))),
      ...filesOfUpstreams(config).map((file) => dirname(file)),
    ];
    this.#watch = new FolderWatch([...new Set(folders)], () => this.#changed(), this.#logger);
  }

  close(): void {
    this.#watch?.close();
  }

  #changed(): void {
    const contents = contentsOf(this.#config);
    const told = JSON.stringify(contents);
    if (told === this.#told) return;
    this.#told = told;
    this.contents = contents;
    this.#announce(contents);
  }
}

/** What cannot be read is left out: the worker says what is missing, and goes on with what it had. */
function contentsOf(config: TlsFileUsers): TlsFileContents {
  const contents: Record<string, string> = {};
  const ofListeners = config.listen.flatMap(({ tls }) => (tls === undefined ? [] : filesOf(tls)));
  for (const path of [...ofListeners, ...filesOfUpstreams(config)]) {
    try {
      contents[path] = diskFiles.read(path);
    } catch {}
  }
  return contents;
}

function filesOfUpstreams({ upstreams }: TlsFileUsers): string[] {
  return Object.values(upstreams).flatMap(({ tls }) => (tls === undefined ? [] : namedUpstreamFiles(tls)));
}

function filesOf({ certificates, directory, clientCertificates: clients }: TlsConfig): string[] {
  const named = certificates.flatMap(({ certificate, key }) => [certificate, key]);
  const lists = [clients?.ca, clients?.revocationList].filter((file) => file !== undefined);
  return [...named, ...lists, ...(directory === undefined ? [] : filesIn(directory))];
}

function filesIn(directory: string): string[] {
  try {
    return diskFiles
      .names(directory)
      .flatMap((name) => (certificateFile.has(extname(name)) ? join(directory, name) : []));
  } catch {
    return [];
  }
}
