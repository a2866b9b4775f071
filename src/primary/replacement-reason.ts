import type { Config } from '../config/config.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** Why a reload replaces the workers, who read some keys when they start only; undefined when it does not. */
export function replacementReason(
  former: Config,
  next: Config,
  slots: readonly Pick<WorkerSlot, 'awaitsReplacement'>[],
): string | undefined {
  if (next.limitSecret !== former.limitSecret) return 'the secret of limits changed';
  if (next.limits.headerSize !== former.limits.headerSize) return 'limits.headerSize changed';
  if (slots.some(({ awaitsReplacement }) => awaitsReplacement)) {
    return 'a listener on a port that takes root to open changed';
  }
  return undefined;
}
