import type { AccessConfig } from './access-config.ts';
import { AddressGate } from './address-gate.ts';
import { BasicGate } from './basic-gate.ts';
import { ForwardGate } from './forward-gate.ts';
import type { Gate } from './gate.ts';
import { JwtGate } from './jwt-gate.ts';
import { Refusals } from './refusals.ts';
import { RouteAccess } from './route-access.ts';
import type { PreparedAccess } from './shared-access.ts';

/**
 * The gate in front of a route: cheap ones first.
 * @throws when a file that it needs cannot be read
 */
export function createAccess(
  { satisfy, addresses, basic, jwt, forward }: AccessConfig,
  place: { readonly site: string; readonly route: string },
  shared: PreparedAccess,
): Gate {
  const refusals = new Refusals(shared.recorder, place.site, place.route);
  const gates: Gate[] = [];
  if (addresses !== undefined) gates.push(new AddressGate(addresses, refusals));
  if (jwt !== undefined) gates.push(new JwtGate(jwt, jwt.source && shared.keys(jwt.source), refusals));
  if (basic !== undefined) gates.push(new BasicGate(basic, shared.basic(basic), refusals));
  if (forward !== undefined) gates.push(new ForwardGate(forward, shared.forward(forward), refusals));
  return new RouteAccess(gates, satisfy);
}
