import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import { PurgeOrders } from '../../src/cache/purge-orders.ts';
import type { EntryWriter, FileBody, StoreEntry } from '../../src/cache/response-store.ts';
import type { StoreDisk } from '../../src/cache/store/store-disk.ts';
import type { ZoneConfig } from '../../src/cache/store/zone-config.ts';
import { ZoneStore } from '../../src/cache/store/zone-store.ts';
import type { StoredResponse, VaryMarker } from '../../src/cache/stored-response.ts';
import type { ToWorker } from '../../src/ipc/message.ts';
import { CacheKeeper } from '../../src/primary/cache-keeper.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';

const mebibyte = 1024 * 1024;

/** A zone on a temporary folder, with the primary's keeper and as many workers' stores as a test wants, in one process. */
export class CacheStores {
  readonly directory = mkdtempSync(`${tmpdir()}/portico-cache-`);
  readonly recorder = new FakeRecorder();
  readonly logger = new RecordingLogger();
  readonly purges = new PurgeOrders();
  readonly keeper: CacheKeeper;
  readonly config: ZoneConfig;
  /** Added to the clocks of keeper and stores. */
  aheadMs = 0;
  private readonly stores: ZoneStore[] = [];
  private workers = 0;
  /** Uses that workers told of. */
  uses = 0;

  constructor(t: Pick<TestContext, 'after'>, config: Partial<ZoneConfig> = {}) {
    this.config = {
      name: 'pages',
      directory: this.directory,
      diskSize: 64 * mebibyte,
      memorySize: 8 * mebibyte,
      memoryEntry: 64 * 1024,
      inactive: 600_000,
      ...config,
    };
    this.keeper = new CacheKeeper({
      recorder: this.recorder,
      logger: this.logger,
      now: () => Date.now() + this.aheadMs,
    });
    this.keeper.configure([this.config]);
    t.after(() => {
      for (const store of this.stores) store.close();
      this.keeper.close();
      rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  get folder(): string {
    return `${this.config.directory}/${this.config.name}`;
  }

  /** The store of one more worker. */
  store(disk?: StoreDisk): ZoneStore {
    const worker = this.workers++;
    const store = new ZoneStore(this.config, {
      recorder: this.recorder,
      logger: this.logger,
      purges: this.purges.zone(this.config.name),
      now: () => performance.now() + this.aheadMs,
      send: (reports) => {
        for (const { used } of reports) this.uses += (used ?? '').length / 32;
        setImmediate(() => this.keeper.told(worker, structuredClone(reports)));
      },
      ...(disk === undefined ? {} : { disk }),
    });
    this.stores.push(store);
    const send = (message: ToWorker): boolean => {
      if (message.type !== 'cache-store') return true;
      for (const order of message.orders) {
        if (order.disk === undefined) setImmediate(() => store.receive(order));
        else store.receive(order);
      }
      return true;
    };
    this.keeper.joined(worker, { send });
    return store;
  }

  /** What happens once a second. */
  async tick(): Promise<void> {
    for (const store of this.stores) store.settle();
    // What they say takes its time.
    await new Promise((resolve) => setImmediate(resolve));
    this.keeper.tick();
  }

  /** Files that the keeper knows of. */
  entries(): number {
    return this.keeper.candidates(this.config.name, { kind: 'everything' }).length;
  }

  /** Bytes on disk, temporary files included. */
  diskBytes(): number {
    let sum = 0;
    for (const name of readdirSync(this.folder, { recursive: true, encoding: 'utf8' })) {
      const stat = statSync(`${this.folder}/${name}`, { throwIfNoEntry: false });
      if (stat?.isFile() === true && !name.startsWith('lock')) sum += Math.ceil(stat.size / 4096) * 4096;
    }
    return sum;
  }

  /** Files that are being written, or were when their process died. */
  temporaryFiles(): number {
    return readdirSync(`${this.folder}/tmp`).length;
  }

  /** Paths of entries within the folder. */
  files(): string[] {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{30}$/.test(name)).map((name) => `${this.folder}/${name}`);
  }
}

/** A response for a key, as an upstream could have given it. */
export function responseFor(key: string, more: Partial<StoredResponse> = {}): Omit<StoredResponse, 'bodyLength'> {
  return {
    key,
    variant: '',
    status: 200,
    block: Buffer.from(`200 OK\r\nContent-Type: text/plain\r\nX-Key: ${key}\r\n`, 'latin1'),
    requestTime: 1000,
    responseTime: 1010,
    date: 1000,
    initialAge: 0,
    lifetime: 60_000,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    mustRevalidate: false,
    alwaysRevalidate: false,
    etag: '"1"',
    lastModified: undefined,
    tags: [],
    decidedBy: 'Cache-Control: max-age',
    ...more,
  };
}

/** Writes a body as fast as the writer takes it. */
export async function writeBody(writer: EntryWriter, body: Uint8Array, pieceBytes = 50_000): Promise<void> {
  for (let offset = 0; offset < body.length; offset += pieceBytes) {
    if (writer.write(body.subarray(offset, offset + pieceBytes))) continue;
    await new Promise<void>((resolve) => (writer.onDrain = resolve));
  }
}

export function commit(writer: EntryWriter): Promise<StoreEntry | undefined> {
  return new Promise((resolve) => writer.commit(resolve));
}

/** Stores a response; undefined when it could not be. */
export async function put(
  store: ZoneStore,
  key: string,
  body: Uint8Array,
  more: Partial<StoredResponse> = {},
): Promise<StoreEntry | undefined> {
  const writer = store.begin(key, responseFor(key, more), body.length);
  if (writer === undefined) return undefined;
  await writeBody(writer, body);
  return commit(writer);
}

export function find(store: ZoneStore, key: string): Promise<StoreEntry | VaryMarker | undefined> {
  return new Promise((resolve) => store.find(key, resolve));
}

/** @throws Error when a marker was found */
export async function findEntry(store: ZoneStore, key: string): Promise<StoreEntry | undefined> {
  const found = await find(store, key);
  if (found !== undefined && !('response' in found)) throw new Error('a marker was found');
  return found;
}

export function openBody(entry: StoreEntry): Promise<FileBody | undefined> {
  return new Promise((resolve) => entry.openBody(resolve));
}

/** All of a body, wherever it is. @throws what reading it says */
export async function bodyOf(entry: StoreEntry, pieceBytes = 100_000): Promise<Buffer> {
  if (entry.contents !== undefined) return entry.contents;
  const body = await openBody(entry);
  if (body === undefined) throw new Error('the body is gone');
  try {
    const pieces: Buffer[] = [];
    for (let position = 0; position < body.length; position += pieceBytes) {
      pieces.push(await readBody(body, position, Math.min(pieceBytes, body.length - position)));
    }
    return Buffer.concat(pieces);
  } finally {
    body.close();
  }
}

export function readBody(body: FileBody, position: number, length: number): Promise<Buffer> {
  const memory = Buffer.alloc(length);
  return new Promise((resolve, reject) => {
    body.read(memory, 0, length, position, (error) => (error === null ? resolve(memory) : reject(error)));
  });
}
