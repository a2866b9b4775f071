import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Files of the control group that this process runs in; a container sees its own at these paths. */
const version2 = '/sys/fs/cgroup/cpu.max';
const version1 = { quota: '/sys/fs/cgroup/cpu/cpu.cfs_quota_us', period: '/sys/fs/cgroup/cpu/cpu.cfs_period_us' };

/**
 * How many processors this process may keep busy: the cores that its affinity mask allows, and no more than the whole
 * CPUs of its control group's quota (`docker run --cpus`, a Kubernetes limit), at least one. More workers than that would only be
 * throttled. Node itself looks at the quota in its newer versions only.
 *
 * @param read gives the text of a file; throws when there is none
 */
export function availableCpus(
  cores: number = availableParallelism(),
  read: (path: string) => string = (path) => readFileSync(path, 'latin1'),
): number {
  const quota = cpuQuota(read);
  return Math.max(1, Math.min(cores, quota === undefined ? cores : Math.floor(quota)));
}

/** In CPUs; undefined without a limit. */
function cpuQuota(read: (path: string) => string): number | undefined {
  const [quota, period] = attempt(() => read(version2).split(' ')) ??
    attempt(() => [read(version1.quota), read(version1.period)]) ?? ['max'];
  const cpus = Number(quota) / Number(period);
  // `max` in version 2 and -1 in version 1 stand for no limit.
  return cpus > 0 && Number.isFinite(cpus) ? cpus : undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
