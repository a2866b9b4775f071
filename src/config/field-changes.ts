import { connectionFields } from '../http/hop-by-hop.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

/** Fields that frame a message or belong to one connection; Portico makes them itself. */
const framing = [...connectionFields, 'content-length'];

export const requestFieldsOfPortico: ReadonlySet<string> = new Set([...framing, 'expect', 'host']);
export const responseFieldsOfPortico: ReadonlySet<string> = new Set([...framing, 'date']);

/** Names that cannot be set or removed, and names that stand in both or twice. */
export function checkFieldChanges(
  changes: { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] },
  path: KeyPath,
  forbidden: ReadonlySet<string>,
  diagnosis: Diagnosis,
): void {
  const places: [string, KeyPath][] = [
    ...Object.keys(changes.set).map((name): [string, KeyPath] => [name, [...path, 'set', name]]),
    ...changes.remove.map((name, index): [string, KeyPath] => [name, [...path, 'remove', index]]),
  ];
  const seen = new Set<string>();
  for (const [name, place] of places) {
    const lower = name.toLowerCase();
    if (forbidden.has(lower)) {
      const allowed = `any field but ${[...forbidden].toSorted().join(', ')}`;
      const hint = lower === 'host' ? '; use host of proxy' : '';
      const message = `Portico makes the field ${quote(name)} itself${hint}`;
      diagnosis.reportKey(place, { message, found: quote(name), allowed });
    } else if (seen.has(lower)) {
      const message = `the field ${quote(name)} is there twice`;
      diagnosis.reportKey(place, {
        message,
        found: quote(name),
        allowed: 'each field once; set replaces what is there',
      });
    }
    seen.add(lower);
  }
}
