import type { ZoneConfig } from './zone-config.ts';
import { type StoreResources, ZoneStore } from './zone-store.ts';

/**
 * The store of a zone in this worker. It uses the zone's folder as soon as the primary says that it may (`receive`); until then
 * and without a folder it is memory alone.
 */
export function createResponseStore(zone: ZoneConfig, resources: StoreResources): ZoneStore {
  return new ZoneStore(zone, resources);
}
