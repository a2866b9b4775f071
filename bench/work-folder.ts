import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The temporary folder of a benchmark: files to serve, configurations made from the templates beside this module. */
export class WorkFolder {
  readonly path: string;
  readonly files: string;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'portico-bench-'));
    this.files = join(this.path, 'files');
    mkdirSync(this.files);
    // Servers that start as root may read as another user.
    chmodSync(this.path, 0o755);
    writeFileSync(join(this.files, '1k.html'), `<!doctype html>${'x'.repeat(1024 - 15)}`);
    writeFileSync(join(this.files, '100k.bin'), Buffer.alloc(100 * 1024, 'y'));
    writeFileSync(join(this.files, '10m.bin'), Buffer.alloc(10 * 1024 ** 2, 'z'));
  }

  /** Writes a configuration: the template with each `__NAME__` replaced. @returns its path */
  writeConfiguration(template: string, values: Readonly<Record<string, string | number>>): string {
    const all: Record<string, string | number> = { FOLDER: this.path, FILES: this.files, ...values };
    const text = readFileSync(new URL(template, import.meta.url), 'utf8').replace(/__([A-Z0-9_]+?)__/g, (_, name) => {
      const value = all[String(name)];
      if (value === undefined) throw new Error(`${template}: no value for ${String(name)}`);
      return String(value);
    });
    const path = join(this.path, `${values['NAME'] ?? template.replaceAll('/', '-')}`);
    writeFileSync(path, text);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
