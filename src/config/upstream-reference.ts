import { closestName } from './closest-name.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';

/** A reference to an upstream must lead to one. */
export function checkUpstreamName(
  name: string,
  path: KeyPath,
  upstreams: ParsedConfig['upstreams'],
  diagnosis: Diagnosis,
): void {
  if (Object.hasOwn(upstreams, name)) return;
  const names = Object.keys(upstreams);
  diagnosis.report(path, {
    message: `unknown upstream ${quote(name)}`,
    found: quote(name),
    allowed: names.length > 0 ? names.join(', ') : 'none: there is nothing under upstreams',
    suggestion: closestName(name, names),
  });
}
