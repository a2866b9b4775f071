import type { Contender, Upstream } from './contender.ts';
import type { BenchOptions } from './options.ts';
import type { SampleStore } from './sample-store.ts';
import type { WorkFolder } from './work-folder.ts';

/** What every part of a run works with. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly store: SampleStore;
  readonly folder: WorkFolder;
  readonly upstream: Upstream;
  /** Those that are installed and asked for. */
  readonly contenders: readonly Contender[];
  /** Tells of progress, on standard error. */
  readonly say: (text: string) => void;
}
