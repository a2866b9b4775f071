import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';

type ParsedProxy = NonNullable<ParsedConfig['sites'][number]['routes'][number]['proxy']>;

const versionsOfHttp = 'requests inside it would go past routes, limits and access';
/** Names of protocols that are never passed on, versions left out, and why. */
const refused: readonly (readonly [form: RegExp, why: string])[] = [
  [/^h2c?(-\d+)?$/, `${versionsOfHttp}; HTTP/2 is offered over TLS by itself`],
  [/^h3(-\d+)?$/, versionsOfHttp],
  [/^https?$/, versionsOfHttp],
  [/^(tls|ssl)$/, 'what is encrypted inside it could be requests that go past routes, limits and access'],
  [/^websocket$/, 'proxy.webSocket passes WebSockets on'],
];

/** Tells of protocols that must not be passed on as they are, and of those that are there twice. */
export function checkUpgrade(upgrade: ParsedProxy['upgrade'], path: KeyPath, diagnosis: Diagnosis): void {
  if (upgrade === false) return;
  const seen = new Set<string>();
  for (const [index, protocol] of upgrade.protocols.entries()) {
    const lower = protocol.toLowerCase();
    const [name = ''] = lower.split('/');
    const why = refused.find(([form]) => form.test(name))?.[1];
    const found = quote(protocol);
    const place = [...path, 'protocols', index];
    if (why !== undefined) {
      const allowed = 'a protocol other than HTTP, TLS and WebSocket, such as tcp';
      diagnosis.report(place, { message: `${found} cannot be passed on: ${why}`, found, allowed });
    } else if (seen.has(lower)) {
      diagnosis.report(place, {
        message: `${found} is there twice`,
        found,
        allowed: 'each protocol once, in any case',
      });
    }
    seen.add(lower);
  }
}

/** Where a route passes other protocols on, for the operator; undefined where none does. */
export function firstUpgrade(sites: ParsedConfig['sites']): string | undefined {
  for (const [site, { routes }] of sites.entries()) {
    const route = routes.findIndex(({ proxy }) => proxy !== undefined && proxy.upgrade !== false);
    if (route >= 0) return `sites[${site}].routes[${route}].proxy.upgrade`;
  }
  return undefined;
}
