import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Handler } from '../../src/route/route.ts';
import { ContentTypes } from '../../src/static/content-types.ts';
import type { Disk } from '../../src/static/disk.ts';
import { FileCache } from '../../src/static/file-cache.ts';
import { ReadBufferPool } from '../../src/static/read-buffer-pool.ts';
import { createStaticHandler, type StaticHandlerConfig } from '../../src/static/static-handler.ts';
import { FakeExchange, type FakeRequest } from './fake-exchange.ts';
import { FakeRecorder } from './fake-recorder.ts';

export interface StaticSiteOptions {
  readonly config?: Partial<StaticHandlerConfig>;
  readonly maxBytes?: number;
  readonly maxFileBytes?: number;
  readonly maxHotFileBytes?: number;
  readonly revalidateMs?: number;
  readonly readBufferBytes?: number;
  readonly disk?: Disk;
}

/** A folder with files, and a static handler over it that is asked without a network. */
export class StaticSite {
  /** The folder that is served; `outside` lies beside it. */
  readonly root: string;
  readonly outside: string;
  readonly recorder = new FakeRecorder();
  readonly cache: FileCache;
  readonly buffers: ReadBufferPool;
  readonly disk: Disk | undefined;
  handler: Handler;

  constructor(test: TestContext, options: StaticSiteOptions = {}) {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'portico-static-')));
    test.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    this.root = join(folder, 'root');
    this.outside = join(folder, 'outside');
    mkdirSync(this.root);
    mkdirSync(this.outside);
    const { maxBytes = 1024 ** 2, maxFileBytes = 64 * 1024, maxHotFileBytes = 0, revalidateMs = 0 } = options;
    this.cache = new FileCache({ maxBytes, maxFileBytes, maxHotFileBytes, revalidateMs }, this.recorder);
    this.buffers = new ReadBufferPool(options.readBufferBytes ?? 4 * 1024 ** 2, this.recorder);
    this.disk = options.disk;
    this.handler = this.makeHandler(options.config);
  }

  /** A further handler over the same resources, as after a reload. */
  makeHandler(config: Partial<StaticHandlerConfig> = {}): Handler {
    const { cache, buffers, recorder, disk } = this;
    const resources = { cache, buffers, recorder, types: new ContentTypes(), ...(disk === undefined ? {} : { disk }) };
    return createStaticHandler({ ...defaults, root: this.root, ...config }, resources);
  }

  /** Writes a file below the root, an hour old unless said otherwise. */
  write(name: string, contents: string | Uint8Array, modified: Date = new Date(Date.now() - 3_600_000)): string {
    const path = join(this.root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    utimesSync(path, modified, modified);
    return path;
  }

  /** Asks and waits for the end of the response. @param path decoded, when it is not the target's */
  async ask(request: FakeRequest | string, path?: string): Promise<FakeExchange> {
    const exchange = this.start(request, path);
    await exchange.finished;
    return exchange;
  }

  /** Asks without waiting. */
  start(request: FakeRequest | string, path?: string): FakeExchange {
    const exchange = new FakeExchange(typeof request === 'string' ? { target: request } : request);
    this.handler.handle(exchange.withContext(path));
    return exchange;
  }
}

const defaults = {
  kind: 'static',
  root: '',
  index: 'index.html',
  fallback: undefined,
  listing: false,
  precompressed: true,
  immutable: true,
  cacheControl: [],
  prefix: '/',
  exact: false,
  responseFields: Buffer.alloc(0),
  removedResponseFields: new Set(),
  passThrough: undefined,
} satisfies StaticHandlerConfig;
