import { readFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PurgeOrder, PurgeTarget } from '../cache/purge.ts';

const fileName = 'purge-orders.jsonl';
/** Lines of the file that say nothing any more before it is written anew. */
const maxDeadLines = 1000;

/** What a journal held when it was opened. */
export interface PurgeRecord {
  readonly orders: readonly PurgeOrder[];
  /** Why some of what it held is not known. What was purged before must not be served then. */
  readonly damage: string | undefined;
}

/**
 * The orders of a zone on disk, so that they outlive the program: one line of JSON for each, and one for those forgotten.
 * A line at the end without its line feed was never confirmed to anybody and counts as not written.
 */
export class PurgeJournal {
  private readonly path: string;
  private readonly live = new Map<number, PurgeOrder>();
  private lines = 0;
  private file: FileHandle | undefined;
  /** Whether the file holds every line written, with a whole line at its end. */
  private sound = false;
  private pending: string[] = [];
  private flushing: Promise<void> | undefined;

  /** @param folder that of the zone */
  constructor(folder: string) {
    this.path = join(folder, fileName);
  }

  /**
   * What the file holds, read at once: workers must know it before they use the folder. To be appended again, under new numbers: the first write puts a new file in the place of this one.
   * @returns what was kept; never throws, what cannot be read is damage
   */
  load(): PurgeRecord {
    const found = new Map<number, PurgeOrder>();
    let damage: string | undefined;
    try {
      const lines = readFileSync(this.path, 'utf8').split('\n').slice(0, -1);
      for (const line of lines) if (!take(line, found)) damage ??= 'a line of it cannot be read';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') damage = messageOf(error);
    }
    return { orders: [...found.values()], damage };
  }

  /** @throws the system's error when the disk does not take them; they are written with what comes next then */
  append(orders: readonly PurgeOrder[]): Promise<void> {
    for (const order of orders) {
      this.live.set(order.id, order);
      this.pending.push(JSON.stringify(order));
    }
    return this.flush();
  }

  /** @throws as `append` does */
  retire(ids: readonly number[]): Promise<void> {
    const known = ids.filter((id) => this.live.delete(id));
    if (known.length > 0) this.pending.push(JSON.stringify({ retired: known }));
    return this.flush();
  }

  /** Whether everything is on disk. */
  get durable(): boolean {
    return this.pending.length === 0 && (this.sound || this.live.size === 0);
  }

  /** Tries again what could not be written. @throws the system's error */
  flush(): Promise<void> {
    // What comes while a write is under way goes with the next one, all together.
    const before = this.flushing;
    const mine = (before ?? Promise.resolve()).catch(() => {}).then(() => this.write());
    const done = mine.finally(() => {
      if (this.flushing === done) this.flushing = undefined;
    });
    this.flushing = done;
    return done;
  }

  async close(): Promise<void> {
    await this.flushing?.catch(() => {});
    await this.file?.close().catch(() => {});
    this.file = undefined;
  }

  private async write(): Promise<void> {
    if (this.durable) return;
    const lines = this.pending;
    if (!this.sound || this.lines - this.live.size > maxDeadLines) return this.rewrite();
    this.pending = [];
    try {
      this.sound = false;
      await this.file?.appendFile(`${lines.join('\n')}\n`);
      await this.file?.datasync();
      this.sound = true;
      this.lines += lines.length;
    } catch (error) {
      // All that counts is in `live`: the next write puts it into a new file.
      this.pending = [...lines, ...this.pending];
      throw error;
    }
  }

  /** Writes a new file and puts it in the place of the former one, which is whole until then. */
  private async rewrite(): Promise<void> {
    const text = [...this.live.values()].map((order) => `${JSON.stringify(order)}\n`).join('');
    const count = this.live.size;
    this.pending = [];
    const temporary = `${this.path}.new`;
    await this.file?.close().catch(() => {});
    this.file = undefined;
    this.sound = false;
    try {
      await mkdir(join(this.path, '..'), { recursive: true });
      // Never through a link that somebody else put there: workers may be another user, and this process root.
      await rm(temporary, { force: true });
      const file = await open(temporary, 'wx', 0o600);
      this.file = file;
      await file.appendFile(text);
      await file.datasync();
      await rename(temporary, this.path);
      await syncFolder(join(this.path, '..'));
      this.sound = true;
      this.lines = count;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @returns false for what is no line of a journal */
function take(line: string, found: Map<number, PurgeOrder>): boolean {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return false;
    if ('retired' in value && Array.isArray(value.retired)) {
      for (const id of value.retired as unknown[]) found.delete(id as number);
      return true;
    }
    if (!isOrder(value)) return false;
    found.set(value.id, value);
    return true;
  } catch {
    return false;
  }
}

function isOrder(value: object): value is PurgeOrder {
  const { id, time, soft, zone, what } = value as Partial<PurgeOrder>;
  return (
    Number.isSafeInteger(id) &&
    typeof time === 'number' &&
    typeof soft === 'boolean' &&
    typeof zone === 'string' &&
    isTarget(what)
  );
}

function isTarget(what: Partial<Record<string, unknown>> | undefined): what is PurgeTarget {
  switch (what?.['kind']) {
    case 'everything':
      return true;
    case 'tag':
      return typeof what['tag'] === 'string';
    case 'host':
      return typeof what['host'] === 'string';
    case 'prefix':
    case 'url':
      return typeof what['host'] === 'string' && typeof what['path'] === 'string';
    default:
      return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
