/** What a zone (`caches.NAME`) is configured to be, as a store needs it. */
export interface ZoneConfig {
  readonly name: string;
  /** Absolute path under which the zone has a folder of its name; undefined for memory only. */
  readonly directory: string | undefined;
  /** Bytes that files of the zone may take together, those being written included. */
  readonly diskSize: number;
  /** Bytes of memory in each worker. */
  readonly memorySize: number;
  /** Bytes; larger bodies are not held in memory. */
  readonly memoryEntry: number;
  /** Milliseconds after its last use for which an entry stays on disk, fresh or not. */
  readonly inactive: number;
  /** From where requests with the method PURGE are taken; nowhere when left out. */
  readonly purge?: { readonly allow: readonly string[] };
}
