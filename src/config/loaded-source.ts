import type { Finding, Locate } from './finding.ts';

/** A source that was read: its data, mistakes found while reading, and where each key stands. */
export interface LoadedSource {
  readonly data: unknown;
  readonly findings: readonly Finding[];
  readonly locate: Locate;
  /** Nothing can be said of the rest: the file is unreadable or its syntax is broken. */
  readonly broken: boolean;
}

/** A source that gives nothing but one mistake, without a position. */
export function brokenSource(file: string, mistake: Pick<Finding, 'message' | 'found' | 'allowed'>): LoadedSource {
  return {
    data: undefined,
    findings: [{ path: [], at: 'value', ...mistake }],
    locate: locateInFile(file),
    broken: true,
  };
}

/** Names the file only. */
export function locateInFile(file: string): Locate {
  return () => ({ file, line: undefined, column: undefined, sourceLine: undefined, flag: undefined });
}
