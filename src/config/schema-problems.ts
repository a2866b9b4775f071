import type { z } from 'zod';
import { closestName } from './closest-name.ts';
import { describeFound, type Finding, quote } from './finding.ts';
import { allowedValues, definitionOf, type KeyPath, keysOf, schemaAt } from './schema-walk.ts';

type Issue = z.core.$ZodIssue;

/** What the schema found wrong with `data`, in our own words. */
export function schemaFindings(schema: z.core.$ZodType, data: unknown, issues: readonly Issue[]): Finding[] {
  const findings = issues.flatMap((issue) => findingsOf(schema, data, issue, []));
  return findings.filter((finding) => !explainedByTypo(finding, findings));
}

function findingsOf(schema: z.core.$ZodType, data: unknown, issue: Issue, above: KeyPath): Finding[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, path, key));
  if (issue.code === 'invalid_key') return [invalidKey(schema, path)];
  if (issue.code === 'invalid_union') {
    const branch = intendedBranch(issue.errors);
    if (branch) return branch.flatMap((inner) => findingsOf(schema, data, inner, path));
  }
  return [wrongValue(schema, data, issue, path)];
}

/** The one alternative of a union that has the type of what was found, so that its inner mistakes are what matters. */
function intendedBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const possible = branches.filter((issues) => !issues.some(isWrongType));
  return possible.length === 1 ? possible[0] : undefined;
}

function isWrongType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function unknownKey(schema: z.core.$ZodType, path: KeyPath, key: string): Finding {
  const keys = keysOf(schemaAt(schema, path));
  return {
    path: [...path, key],
    at: 'key',
    message: `unknown key ${quote(key)}`,
    found: quote(key),
    allowed: keys.join(', '),
    suggestion: closestName(key, keys),
  };
}

function invalidKey(schema: z.core.$ZodType, path: KeyPath): Finding {
  const key = quote(String(path.at(-1)));
  const mapping = schemaAt(schema, path.slice(0, -1));
  return { path, at: 'key', message: `wrong name ${key}`, found: key, allowed: mapping ? allowedNames(mapping) : '' };
}

function allowedNames(mapping: z.core.$ZodType): string {
  const def = definitionOf(mapping);
  if (def.type === 'record') return allowedValues(def.keyType);
  return 'innerType' in def ? allowedNames(def.innerType) : '';
}

function wrongValue(schema: z.core.$ZodType, data: unknown, issue: Issue, path: KeyPath): Finding {
  const value = valueAt(data, path);
  const found = describeFound(value);
  const target = schemaAt(schema, path);
  const allowed = boundsOf(issue) ?? (target ? allowedValues(target) : '');
  const finding = { path, at: 'value' as const, found, allowed };
  if (value === undefined) return { ...finding, message: missing(path) };
  if (value === null) return { ...finding, message: 'no value' };
  return { ...finding, message: `${complaint(issue, value)} ${found}`, suggestion: suggestionFor(target, value) };
}

/** What a unit says of its bounds. */
function boundsOf(issue: Issue): string | undefined {
  return issue.code === 'custom' && typeof issue.params?.['allowed'] === 'string' ? issue.params['allowed'] : undefined;
}

function missing(path: KeyPath): string {
  return path.length === 0 ? 'the configuration is empty' : `missing key ${quote(String(path.at(-1)))}`;
}

function complaint(issue: Issue, value: unknown): string {
  if (issue.code === 'invalid_type') return 'wrong type:';
  if (issue.code === 'custom') return `${issue.message}:`;
  if (Array.isArray(value) && value.length === 0) return 'too few:';
  if (typeof value === 'number' && (issue.code === 'too_small' || issue.code === 'too_big')) return 'out of range:';
  return typeof value === 'object' ? 'wrong type:' : 'wrong value';
}

/** A mistyped word of a fixed set, or a number where its unit is missing. */
function suggestionFor(schema: z.core.$ZodType | undefined, value: unknown): string | undefined {
  if (typeof value !== 'string' || !schema) return undefined;
  return closestName(value, wordsOf(schema));
}

function wordsOf(schema: z.core.$ZodType): string[] {
  const def = definitionOf(schema);
  if (def.type === 'enum') return Object.values(def.entries).map(String);
  if (def.type === 'literal') return def.values.filter((word) => typeof word === 'string');
  if (def.type === 'union') return def.options.flatMap(wordsOf);
  return 'innerType' in def ? wordsOf(def.innerType) : [];
}

function valueAt(data: unknown, path: KeyPath): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Object.getOwnPropertyDescriptor(value, step)?.value;
  }
  return value;
}

/** `site:` for `sites:` is one mistake, not an unknown key and a missing one. */
function explainedByTypo(finding: Finding, all: readonly Finding[]): boolean {
  if (finding.found !== 'nothing' || !finding.message.startsWith('missing')) return false;
  return all.some(
    (other) =>
      other.at === 'key' &&
      other.suggestion === finding.path.at(-1) &&
      other.path.length === finding.path.length &&
      other.path.slice(0, -1).every((step, index) => step === finding.path[index]),
  );
}
