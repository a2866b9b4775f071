import type { BigIntStats } from 'node:fs';
import { siblingCodings } from './content-coding.ts';
import { type Disk, meansAbsent } from './disk.ts';
import type { DiskTempo } from './disk-tempo.ts';
import { type FileIdentity, identityOf, sameState } from './file-identity.ts';
import { checkStaticPath } from './static-path.ts';

/** A regular file within the root. */
export interface FoundFile {
  /** Without links: safe to open. */
  readonly realPath: string;
  readonly identity: FileIdentity;
}

export type Resolution =
  | {
      readonly kind: 'file';
      /** Where it was looked for, links included: looked at again to see whether it has changed. */
      readonly path: string;
      /** In the order of `siblingCodings`, then the file itself. */
      readonly files: readonly (FoundFile | undefined)[];
    }
  | { readonly kind: 'redirect' }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'absent'; readonly hidden: boolean };

export interface FileResolverOptions {
  /** Absolute, without a slash at its end: '' for the root of the file system. */
  readonly root: string;
  readonly index: string | false;
  /** Whether a folder without an index has an answer. */
  readonly listing: boolean;
  readonly precompressed: boolean;
}

const absent: Resolution = { kind: 'absent', hidden: false };
const hidden: Resolution = { kind: 'absent', hidden: true };

/** Finds what a path means on disk, and makes sure that it lies within the root when every link is followed. */
export class FileResolver {
  private readonly options: FileResolverOptions;
  private readonly disk: Disk;
  private readonly tempo: DiskTempo;
  /** The root without links; it may be a link that is swapped at a deployment. */
  private realRoot: string | undefined;

  constructor(options: FileResolverOptions, disk: Disk, tempo: DiskTempo) {
    this.options = options;
    this.disk = disk;
    this.tempo = tempo;
  }

  /**
   * @param relative what stands behind the prefix: '' or '/' for the root itself
   * @throws what the disk says, when that is not "no such file"
   */
  async resolve(relative: string): Promise<Resolution> {
    const checked = checkStaticPath(relative);
    if (checked.kind === 'forbidden') return hidden;
    try {
      return await this.resolveAllowed(checked.relative, checked.folder);
    } catch (error) {
      if (meansAbsent(error)) return absent;
      throw error;
    }
  }

  /** Looks at a file and its siblings again: whether anything has changed, come or gone. */
  async isUnchanged(path: string, known: readonly (FileIdentity | undefined)[]): Promise<boolean> {
    const stats = await this.statWithSiblings(path);
    return stats.every((stat, index) => {
      const identity = known[index];
      if (stat === undefined || identity === undefined) return (stat === undefined) === (identity === undefined);
      return sameState(stat, identity);
    });
  }

  /** The real path of something within the root; undefined when it lies outside or does not exist. */
  async realPathWithin(path: string): Promise<string | undefined> {
    try {
      const real = await this.disk.realPath(path);
      this.realRoot ??= await this.disk.realPath(this.options.root || '/');
      if (liesWithin(real, this.realRoot)) return real;
      // The root may lead elsewhere since it was last looked at.
      this.realRoot = await this.disk.realPath(this.options.root || '/');
      return liesWithin(real, this.realRoot) ? real : undefined;
    } catch (error) {
      if (meansAbsent(error)) return undefined;
      throw error;
    }
  }

  private async resolveAllowed(relative: string, asksForFolder: boolean): Promise<Resolution> {
    const { root, index } = this.options;
    const path = relative === '' ? root || '/' : `${root}/${relative}`;
    const stats = await this.disk.stat(path);
    if (stats.isFile()) return asksForFolder ? absent : this.file(path, stats);
    if (!stats.isDirectory()) return absent;
    if ((await this.realPathWithin(path)) === undefined) return hidden;
    const indexFile = index === false ? absent : await this.indexFile(`${path}/${index}`);
    if (indexFile.kind !== 'file' && !this.options.listing) return absent;
    if (!asksForFolder) return { kind: 'redirect' };
    return indexFile.kind === 'file' ? indexFile : { kind: 'folder', path };
  }

  private async indexFile(path: string): Promise<Resolution> {
    try {
      const stats = await this.disk.stat(path);
      return stats.isFile() ? await this.file(path, stats) : absent;
    } catch (error) {
      if (meansAbsent(error)) return absent;
      throw error;
    }
  }

  /** @param found what was just seen there; the names beside it, and the way to it, are in the system's memory now */
  private async file(path: string, seen: BigIntStats): Promise<Resolution> {
    const isLocal = await this.tempo.learn(seen.dev, path, this.disk);
    const begin = performance.now();
    if (isLocal && this.tempo.mayWait(begin)) {
      const files = this.filesNow(path, seen);
      this.tempo.waited(begin, performance.now());
      if (files !== undefined) return { kind: 'file', path, files };
    }
    return this.fileInTime(path);
  }

  /** @returns undefined where something is not as it mostly is */
  private filesNow(path: string, own: BigIntStats): (FoundFile | undefined)[] | undefined {
    try {
      const found = siblingCodings.map(({ suffix }) => {
        if (!this.options.precompressed || path.endsWith(suffix)) return undefined;
        const stat = this.disk.statNow(path + suffix);
        return stat !== undefined && stat.mtimeNs >= own.mtimeNs && stat.isFile()
          ? this.locateNow(path + suffix, stat)
          : undefined;
      });
      return [...found, this.locateNow(path, own)];
    } catch {
      return undefined;
    }
  }

  /** @throws where it does not lie within the root as that was last found, which is looked at more closely then */
  private locateNow(path: string, stats: BigIntStats): FoundFile {
    const realPath = this.disk.realPathNow(path);
    if (this.realRoot === undefined || !liesWithin(realPath, this.realRoot)) throw new Error('not known to be within');
    return { realPath, identity: identityOf(stats) };
  }

  private async fileInTime(path: string): Promise<Resolution> {
    const stats = await this.statWithSiblings(path);
    const own = stats.at(-1);
    if (own === undefined) return absent;
    const found = stats.map((stat, index) => {
      const suffix = siblingCodings[index]?.suffix ?? '';
      return stat === undefined ? Promise.resolve(undefined) : this.locate(path + suffix, stat);
    });
    const files = await Promise.all(found);
    return files.at(-1) === undefined ? hidden : { kind: 'file', path, files };
  }

  private async locate(path: string, stats: BigIntStats): Promise<FoundFile | undefined> {
    const realPath = await this.realPathWithin(path);
    return realPath === undefined ? undefined : { realPath, identity: identityOf(stats) };
  }

  /** A sibling that is older than the file was made from an earlier state of it: as if it were not there. */
  private async statWithSiblings(path: string): Promise<(BigIntStats | undefined)[]> {
    const siblings = siblingCodings.map(({ suffix }) =>
      this.options.precompressed && !path.endsWith(suffix)
        ? this.statSibling(path + suffix)
        : Promise.resolve(undefined),
    );
    const [own, ...others] = await Promise.all([this.statFile(path), ...siblings]);
    const usable = others.map((stat) =>
      own === undefined || stat === undefined || stat.mtimeNs < own.mtimeNs ? undefined : stat,
    );
    return [...usable, own];
  }

  private async statFile(path: string): Promise<BigIntStats | undefined> {
    try {
      const stats = await this.disk.stat(path);
      return stats.isFile() ? stats : undefined;
    } catch (error) {
      if (meansAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Whatever is wrong with a sibling, the file itself can be served. */
  private async statSibling(path: string): Promise<BigIntStats | undefined> {
    try {
      return await this.statFile(path);
    } catch {
      return undefined;
    }
  }
}

function liesWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
