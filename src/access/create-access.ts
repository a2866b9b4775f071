import type { Recorder } from '../metrics/recorder.ts';
import type { AccessConfig } from './access-config.ts';
import { AddressGate } from './address-gate.ts';
import type { Gate } from './gate.ts';
import { Refusals } from './refusals.ts';
import { RouteAccess } from './route-access.ts';

/** What a route's gates need of the worker. */
export interface AccessResources {
  readonly recorder: Recorder;
}

/** The gate in front of a route: cheap ones first. */
export function createAccess(
  { satisfy, addresses }: AccessConfig,
  place: { readonly site: string; readonly route: string },
  { recorder }: AccessResources,
): Gate {
  const refusals = new Refusals(recorder, place.site, place.route);
  const gates: Gate[] = [];
  if (addresses !== undefined) gates.push(new AddressGate(addresses, refusals));
  return new RouteAccess(gates, satisfy);
}
