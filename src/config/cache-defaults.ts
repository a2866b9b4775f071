/** What `routes[].cache` is where it says nothing; milliseconds and bytes. */
export const cacheDefaults = {
  ttl: 0,
  heuristicShare: 10,
  heuristicMax: 86_400_000,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  maxEntry: 128 * 1024 ** 2,
  collapse: 5000,
  /** The name in Cache-Status. */
  name: 'portico',
} as const;

/** What a zone of `caches` is where it says nothing. */
export const zoneDefaults = {
  diskSize: 1024 ** 3,
  memorySize: 32 * 1024 ** 2,
  memoryEntry: 256 * 1024,
  inactive: 7 * 86_400_000,
  purge: { allow: [] as string[] },
} as const;
