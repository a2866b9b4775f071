import type { Diagnosis } from './diagnosis.ts';
import { formatKeyPath, quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

/**
 * The label of a site or route in metrics and logs: the given one, which must be free, or the derived one, which gets
 * `#2`, `#3`, … when it is taken.
 *
 * @param taken labels so far and who has them; the result is added
 */
export function uniqueLabel(
  given: string | undefined,
  derived: string,
  path: KeyPath,
  taken: Map<string, KeyPath>,
  diagnosis: Diagnosis,
): string {
  const owner = given === undefined ? undefined : taken.get(given);
  if (given !== undefined && owner) {
    const message = `the name ${quote(given)} is taken by ${formatKeyPath(owner)}`;
    diagnosis.report([...path, 'name'], { message, found: quote(given), allowed: 'each name once' });
  }
  const label = given ?? firstFree(derived, taken);
  taken.set(label, path);
  return label;
}

function firstFree(derived: string, taken: ReadonlyMap<string, KeyPath>): string {
  let label = derived;
  for (let count = 2; taken.has(label); count++) label = `${derived}#${count}`;
  return label;
}
