import type { Coding } from '../compression/coding.ts';
import type { RouteCompression } from '../compression/route-compression.ts';
import type { CacheEntry } from './cache-entry.ts';
import { identityIndex, siblingCodings } from './content-coding.ts';
import type { FileCache } from './file-cache.ts';
import type { Representation } from './representation.ts';

/** The most of the cache that one file may take before compressed forms of it are made, so that these find room. */
const cacheShare = 1 / 4;

/**
 * The compressed forms of a file that were made here, because it has no compressed sibling: each once, kept in memory
 * beside the file and gone with it.
 */
export class MadeForms {
  /** By index of the coding; undefined where it was not made. */
  readonly representations: (Representation | undefined)[] = siblingCodings.map(() => undefined);
  /** Bit n is set when coding n has been asked for. */
  private asked = 0;
  /** Bit n is set when coding n comes to nothing. */
  private useless = 0;

  of(coding: Coding): Representation | undefined {
    return this.representations[indexOf(coding)];
  }

  /** The first of some codings that there is a form in, or may be one. */
  choose(codings: readonly Coding[]): Coding | undefined {
    return codings.find((coding) => (this.useless & bitOf(coding)) === 0);
  }

  /**
   * Has the form made, once. @returns whether it is on its way
   */
  request(entry: CacheEntry, coding: Coding, cache: FileCache, { resources }: RouteCompression): boolean {
    const bit = bitOf(coding);
    if ((this.asked & bit) !== 0) return true;
    const identity = entry.representations[identityIndex];
    const contents = identity?.contents;
    if (identity === undefined || contents === undefined || contents.length > cache.limits.maxBytes * cacheShare) {
      return false;
    }
    const { forms } = resources;
    const id = `${identity.realPath}\0${identity.etag}`;
    const asked = forms.request(id, contents, coding, (coded) => {
      if (coded === undefined) {
        this.useless |= bit;
        return;
      }
      this.representations[indexOf(coding)] = identity.codedForm(indexOf(coding), coded);
      cache.measureAgain(entry);
    });
    if (asked === 'refused') return false;
    this.asked |= bit;
    return true;
  }
}

function indexOf(coding: Coding): number {
  return siblingCodings.findIndex(({ name }) => name === coding);
}

function bitOf(coding: Coding): number {
  return 1 << indexOf(coding);
}
