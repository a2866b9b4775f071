import picomatch from 'picomatch';
import { isHashedName } from './hashed-name.ts';

/** RFC 8246: a year, and no revalidation even when the user reloads. */
const immutableForever = 'public, max-age=31536000, immutable';

export interface CacheControlRule {
  /** Glob over the path within the root. */
  readonly match: string;
  readonly value: string;
}

/** Decides the Cache-Control of a file by its path. Globs are compiled once. */
export class CacheControlPolicy {
  private readonly rules: readonly { readonly matches: (path: string) => boolean; readonly value: string }[];
  private readonly immutable: boolean;

  constructor(rules: readonly CacheControlRule[], immutable: boolean) {
    // A pattern without a slash means the name in any folder, as in .gitignore.
    this.rules = rules.map(({ match, value }) => {
      const pattern = match.replace(/^\//, '');
      return { matches: picomatch(match.includes('/') ? pattern : `**/${pattern}`, { dot: true }), value };
    });
    this.immutable = immutable;
  }

  /** @param path within the root, without a slash in front; undefined means that no field is sent */
  of(path: string): string | undefined {
    for (const rule of this.rules) {
      if (rule.matches(path)) return rule.value;
    }
    return this.immutable && isHashedName(path) ? immutableForever : undefined;
  }
}
