import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Where certificates, keys and lists of a listener are read from. */
export interface TlsFiles {
  /** @throws as `readFileSync` does */
  read(path: string): string;
  /** Names in a folder, in order. @throws as `readdirSync` does */
  names(folder: string): readonly string[];
  has(path: string): boolean;
}

/** The disk itself. */
export const diskFiles: TlsFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  names: (folder) => readdirSync(folder).toSorted(),
  has: existsSync,
};

/** Contents by path. */
export type TlsFileContents = Readonly<Record<string, string>>;

/** What the primary has read for a worker that may not read it. A file that the primary could not read is not there. */
export class HandedTlsFiles implements TlsFiles {
  contents: TlsFileContents;

  constructor(contents: TlsFileContents) {
    this.contents = contents;
  }

  read(path: string): string {
    const text = this.contents[path];
    if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    return text;
  }

  names(folder: string): readonly string[] {
    const paths = Object.keys(this.contents).filter((path) => join(dirname(path)) === join(folder));
    return paths.map((path) => basename(path)).toSorted();
  }

  has(path: string): boolean {
    return this.contents[path] !== undefined;
  }
}
