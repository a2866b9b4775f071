import type { AccessConfig } from '../access/access-config.ts';
import { identityFields } from '../access/identity-fields.ts';
import type { AccessInput } from './access-schema.ts';
import { parseAddressRange } from './address-range.ts';
import { compileBasic } from './compile-basic.ts';
import { compileForward } from './compile-forward.ts';
import { compileJwt } from './compile-jwt.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

/** What a site or a route says about access, checked. */
export type AccessLayer = Partial<AccessConfig>;

/** Checks what stands at one place. */
export function compileAccessLayer(input: AccessInput | undefined, path: KeyPath, diagnosis: Diagnosis): AccessLayer {
  if (input === undefined) return {};
  const { satisfy, allow, deny, basic, forward, jwt } = input;
  return {
    ...(satisfy && { satisfy }),
    ...((allow ?? deny) && { addresses: compileAddresses(allow ?? [], deny ?? [], path, diagnosis) }),
    ...(jwt !== undefined && { jwt: jwt === false ? undefined : compileJwt(jwt, [...path, 'jwt'], diagnosis) }),
    ...(forward !== undefined && {
      forward: forward === false ? undefined : compileForward(forward, [...path, 'forward'], diagnosis),
    }),
    ...(basic !== undefined && {
      basic: basic === false ? undefined : compileBasic(basic, [...path, 'basic'], diagnosis),
    }),
  };
}

/** What a route has of its own, and beside it what its site says; undefined when everybody may. */
export function joinAccess(site: AccessLayer, route: AccessLayer): AccessConfig | undefined {
  const { satisfy = 'all', ...gates } = { ...site, ...route };
  return Object.values(gates).some((gate) => gate !== undefined) ? { satisfy, ...gates } : undefined;
}

/** A route that sets a field by which another one of its keys tells who asks would make two of them. */
export function checkIdentityClash(
  access: AccessConfig | undefined,
  set: Readonly<Record<string, string>>,
  path: KeyPath,
  diagnosis: Diagnosis,
): void {
  const told = new Set(identityFields([access]));
  for (const name of Object.keys(set)) {
    if (!told.has(name.toLowerCase())) continue;
    const message = `the field ${quote(name)} tells who asks: access sets it`;
    diagnosis.reportKey([...path, name], { message, found: quote(name), allowed: 'other fields' });
  }
}

function compileAddresses(
  allow: readonly string[],
  deny: readonly string[],
  path: KeyPath,
  diagnosis: Diagnosis,
): AccessConfig['addresses'] {
  const seen = new Set<string>();
  for (const [key, ranges] of [['allow', allow] as const, ['deny', deny] as const]) {
    for (const [index, range] of ranges.entries()) {
      const place = [...path, key, index];
      const checked = range === 'unix' ? undefined : parseAddressRange(range);
      if (checked !== undefined && 'mistake' in checked) {
        diagnosis.report(place, checked.mistake);
      } else if (seen.has(range)) {
        const message = `${quote(range)} is there twice`;
        diagnosis.report(place, { message, found: quote(range), allowed: 'each range once, in allow or in deny' });
      }
      seen.add(range);
    }
  }
  // Nobody at all may come in then, which is what an empty list says; but it is more likely a mistake.
  if (allow.length + deny.length === 0) diagnosis.warn(`${path.join('.')}: empty lists allow everybody`);
  return { allow, deny };
}
