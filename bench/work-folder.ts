import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pageAssets } from './page-assets.ts';

/** Files in one folder: what makes neither path look-ups nor listings slow. */
const filesPerFolder = 100;

/** The temporary folder of a benchmark: files to serve, configurations made from the templates beside this module. */
export class WorkFolder {
  readonly path: string;
  readonly files: string;
  private configurations = 0;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'portico-bench-'));
    this.files = join(this.path, 'files');
    mkdirSync(this.files);
    // Servers that start as root may read as another user.
    chmodSync(this.path, 0o755);
    this.writeFile('/1k.html', `<!doctype html>${'x'.repeat(1024 - 15)}`);
    this.writeFile('/100k.bin', Buffer.alloc(100 * 1024, 'y'));
    this.writeFile('/10m.bin', Buffer.alloc(10 * 1024 ** 2, 'z'));
    for (const asset of pageAssets) this.writeFile(asset.path, Buffer.alloc(asset.bytes, 'a'));
  }

  /** Writes so many files of 1 KB, once. @returns their paths as clients ask for them */
  writeManyFiles(count: number): string[] {
    const content = Buffer.alloc(1024, 'm');
    const paths = manyFilePaths(count);
    const last = paths.at(-1);
    if (last !== undefined && !existsSync(join(this.files, last))) {
      for (const path of paths) this.writeFile(path, content);
    }
    return paths;
  }

  /** Writes a configuration: the template with each `__NAME__` replaced. @returns its path */
  writeConfiguration(template: string, values: Readonly<Record<string, string | number>>): string {
    const all: Record<string, string | number> = { FOLDER: this.path, FILES: this.files, ...values };
    const text = readFileSync(new URL(template, import.meta.url), 'utf8').replace(/__([A-Z0-9_]+?)__/g, (_, name) => {
      const value = all[String(name)];
      if (value === undefined) throw new Error(`${template}: no value for ${String(name)}`);
      return String(value);
    });
    // The extension tells Portico the format.
    const path = join(this.path, `${++this.configurations}-${basename(template)}`);
    writeFileSync(path, text);
    return path;
  }

  /** Path for the access log of one server. */
  logPath(server: string): string {
    return join(this.path, `${server}-${++this.configurations}.access.log`);
  }

  /** Empties the access logs: servers append to them. */
  emptyLogs(): void {
    for (const name of readdirSync(this.path)) if (name.endsWith('.access.log')) truncateSync(join(this.path, name));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  private writeFile(path: string, content: string | Buffer): void {
    const file = join(this.files, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

/** Paths of the many files, in an order that has nothing to do with where they lie. */
export function manyFilePaths(count: number): string[] {
  // A step without a common divisor visits each file once.
  const step = 7919;
  return Array.from({ length: count }, (_, index) => {
    const file = count % step === 0 ? index : (index * step) % count;
    return `/many/${Math.floor(file / filesPerFolder)}/${file % filesPerFolder}.html`;
  });
}
