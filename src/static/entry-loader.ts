import { basename } from 'node:path';
import type { RouteCompression } from '../compression/route-compression.ts';
import type { CacheControlPolicy } from './cache-control.ts';
import { CacheEntry, type CacheOutcome } from './cache-entry.ts';
import { identityIndex } from './content-coding.ts';
import type { ContentTypes } from './content-types.ts';
import type { DirectoryListing } from './directory-listing.ts';
import type { Disk } from './disk.ts';
import type { DiskTempo } from './disk-tempo.ts';
import type { FieldLines } from './field-lines.ts';
import type { CachePartition } from './file-cache.ts';
import { racyMs } from './file-identity.ts';
import type { FileResolver, Resolution } from './file-resolver.ts';
import { MadeForms } from './made-forms.ts';
import { Representation } from './representation.ts';

export interface EntryLoaderParts {
  readonly resolver: FileResolver;
  readonly disk: Disk;
  readonly tempo: DiskTempo;
  readonly listing: DirectoryListing;
  readonly types: ContentTypes;
  readonly cacheControl: CacheControlPolicy;
  readonly lines: FieldLines;
  /** Undefined where nothing is compressed. */
  readonly compression: RouteCompression | undefined;
  /** Folder of the files, to tell a file's path within it. */
  readonly root: string;
}

/** Makes cache entries from what is on disk. */
export class EntryLoader {
  private readonly parts: EntryLoaderParts;

  constructor(parts: EntryLoaderParts) {
    this.parts = parts;
  }

  /**
   * What a path leads to now; never rejects: a disk that fails is an outcome.
   * @param relative path behind the prefix
   * @param former what it led to when last looked at; it is given back when its file has not changed
   */
  async load(
    partition: CachePartition,
    key: string,
    relative: string,
    former: CacheEntry | undefined,
    lifetimeMs: number,
  ): Promise<CacheEntry> {
    // From before the disk is asked, so that nothing is trusted longer than promised.
    const expiresAt = performance.now() + lifetimeMs;
    const nowMs = BigInt(Date.now());
    try {
      if (former !== undefined && (await this.isUnchanged(former))) {
        former.expiresAt = expiresAt;
        return former;
      }
      const resolution = await this.parts.resolver.resolve(relative);
      const outcome = await this.outcomeOf(resolution, key, relative, nowMs);
      const entry = new CacheEntry(partition, key, outcome, expiresAt, isRacy(resolution, nowMs));
      if (this.isCompressed(entry.representations[identityIndex])) entry.made = new MadeForms();
      entry.isLocal = await this.isLocal(resolution);
      return entry;
    } catch (cause) {
      return new CacheEntry(partition, key, { kind: 'failed', cause }, expiresAt);
    }
  }

  private isCompressed(file: Pick<Representation, 'contentType' | 'size'> | undefined): boolean {
    const { compression } = this.parts;
    if (compression === undefined || file === undefined) return false;
    return file.size >= compression.rules.minSize && compression.types.has(file.contentType);
  }

  private async isUnchanged({ outcome, isRacy: mayHaveChanged }: CacheEntry): Promise<boolean> {
    if (outcome.kind !== 'file' || mayHaveChanged) return false;
    const known = outcome.representations.map((representation) => representation?.identity);
    return this.parts.resolver.isUnchanged(outcome.path, known);
  }

  private async isLocal(resolution: Resolution): Promise<boolean> {
    if (resolution.kind !== 'file') return false;
    const { disk, tempo } = this.parts;
    for (const file of resolution.files) {
      if (file !== undefined && !(await tempo.learn(file.identity.dev, file.realPath, disk))) return false;
    }
    return true;
  }

  private async outcomeOf(resolution: Resolution, key: string, relative: string, nowMs: bigint): Promise<CacheOutcome> {
    if (resolution.kind === 'folder') {
      const { html, json } = await this.parts.listing.render(resolution.path, key, relative === '/');
      return { kind: 'listing', html, json };
    }
    if (resolution.kind !== 'file') return resolution;
    const { path, files } = resolution;
    const { types, cacheControl, lines, root } = this.parts;
    const contentType = types.of(path);
    const size = Number(files[identityIndex]?.identity.size ?? 0);
    const resource = {
      contentType,
      // A route for one file may have the file itself for its root.
      cacheControl: cacheControl.of(path === root ? basename(path) : path.slice(root.length + 1)),
      varies:
        files.some((file, index) => file !== undefined && index !== identityIndex) ||
        this.isCompressed({ contentType, size }),
      lines,
    };
    const nowSeconds = Number(nowMs / 1000n);
    const representations = files.map((file, index) =>
      file === undefined ? undefined : new Representation(file, index, resource, nowSeconds),
    );
    return { kind: 'file', path, representations };
  }
}

function isRacy(resolution: Resolution, nowMs: bigint): boolean {
  if (resolution.kind !== 'file') return false;
  return resolution.files.some((file) => file !== undefined && file.identity.mtimeNs / 1_000_000n + racyMs > nowMs);
}
