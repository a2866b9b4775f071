import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { buildSync } from 'esbuild';
import { lookUp } from '../../src/cache/store/entry-lookup.ts';
import { nodeStoreDisk } from '../../src/cache/store/store-disk.ts';
import type { ZoneConfig } from '../../src/cache/store/zone-config.ts';
import { bodyOf, CacheStores, findEntry } from './cache-stores.ts';
import { ChildProgram } from './child-program.ts';
import { faultOf } from './derived-response.ts';
import { childrenOf, killAll } from './process-tree.ts';
import { waitFor } from './wait-for.ts';

const mebibyte = 1024 * 1024;

/** Kills processes in the middle of storing, again and again, and says what was found wrong. */
export class CacheFaults {
  readonly directory = mkdtempSync(`${tmpdir()}/portico-cache-faults-`);
  readonly config: ZoneConfig;
  /** Largest share of the bound that was seen. */
  largestShare = 0;
  kills = 0;
  private readonly faultFile = `${this.directory}/faults`;
  private readonly programs: string;
  private tree: ChildProgram | undefined;

  constructor(diskSize = 24 * mebibyte) {
    this.config = {
      name: 'pages',
      directory: `${this.directory}/cache`,
      diskSize,
      memorySize: mebibyte / 2,
      memoryEntry: 64 * 1024,
      inactive: 600_000,
    };
    this.programs = `${this.directory}/programs`;
    const entryPoints = ['storing-tree', 'storing-worker'].map(
      (name) => new URL(`./${name}.ts`, import.meta.url).pathname,
    );
    buildSync({
      entryPoints,
      outdir: this.programs,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
  }

  get folder(): string {
    return `${this.config.directory}/${this.config.name}`;
  }

  /** What a process found that was not what had been stored. */
  get faults(): string {
    return existsSync(this.faultFile) ? readFileSync(this.faultFile, 'utf8') : '';
  }

  async start(): Promise<void> {
    const worker = `${this.programs}/storing-worker.mjs`;
    this.tree = new ChildProgram([
      `${this.programs}/storing-tree.mjs`,
      JSON.stringify(this.config),
      this.faultFile,
      worker,
      '2',
    ]);
    await this.tree.waitForOutput(/started/);
  }

  /** Lets them work for a while and kills one worker, or the first process with all workers. */
  async kill(what: 'worker' | 'tree', afterMs: number): Promise<void> {
    const { tree } = this;
    if (tree === undefined) throw new Error('nothing runs');
    const root = tree.child.pid as number;
    const isReady = (pid: number): boolean => existsSync(`${this.faultFile}.ready-${pid}`);
    await waitFor(() => childrenOf(root).filter(isReady).length === 2, 'two workers that work');
    const pids = childrenOf(root);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    this.measure();
    this.kills++;
    if (what === 'worker') return killAll([pids[this.kills % pids.length] as number]);
    await this.killTree(tree);
    await this.start();
  }

  async stop(): Promise<void> {
    const { tree } = this;
    this.tree = undefined;
    if (tree !== undefined) await this.killTree(tree);
  }

  /** Looks at every file that there is as another process finds it. @returns how many are right, and what is wrong */
  async inspect(stores: CacheStores): Promise<{ readonly right: number; readonly wrong: readonly string[] }> {
    const store = stores.store();
    const wrong: string[] = [];
    let right = 0;
    for (const path of this.files()) {
      const key = await keyOf(path);
      const entry = key === undefined ? undefined : await findEntry(store, key);
      if (key === undefined || entry === undefined) wrong.push(`${path} is not whole`);
      else {
        const fault = faultOf(key, entry.response, await bodyOf(entry));
        if (fault === undefined) right++;
        else wrong.push(fault);
      }
    }
    return { right, wrong };
  }

  /** Bytes in files, those being written included. */
  diskBytes(): number {
    let sum = 0;
    for (const name of readdirSync(this.folder, { recursive: true, encoding: 'utf8' })) {
      const stat = statSync(`${this.folder}/${name}`, { throwIfNoEntry: false });
      if (stat?.isFile() === true) sum += stat.size;
    }
    return sum;
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  private async killTree(tree: ChildProgram): Promise<void> {
    const root = tree.child.pid as number;
    // It must not start another one meanwhile.
    tree.child.kill('SIGSTOP');
    const pids = childrenOf(root);
    killAll([...pids, root]);
    await tree.ended();
    await waitFor(() => pids.every(isGone), 'every process to be gone');
  }

  private measure(): void {
    if (existsSync(this.folder))
      this.largestShare = Math.max(this.largestShare, this.diskBytes() / this.config.diskSize);
  }

  private files(): string[] {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{30}$/.test(name)).map((name) => `${this.folder}/${name}`);
  }
}

/** Or nobody has asked for its exit code yet. */
function isGone(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true;
  }
}

function keyOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    lookUp(nodeStoreDisk, path, undefined, (result) => {
      if (result.kind !== 'found') return resolve(undefined);
      nodeStoreDisk.close(result.entry.fd);
      resolve(result.entry.slot.head.storeKey);
    });
  });
}
