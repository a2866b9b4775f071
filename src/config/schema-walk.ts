import { z } from 'zod';
import { keyFacts } from './key-facts.ts';

/** The steps from the root of a configuration to a value in it. */
export type KeyPath = readonly PropertyKey[];

/** A schema by its kind, which `type` tells. */
type Definition = z.core.$ZodTypes['_zod']['def'];

/** What a schema is made of. */
export function definitionOf(schema: z.core.$ZodType): Definition {
  // The library offers its schemas for reading in no other way than this union of all kinds (zod.dev/library-authors).
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, no-underscore-dangle
  return (schema as z.core.$ZodTypes)._zod.def;
}

/** The schema itself, without the wrappers that give defaults or transform. */
export function unwrapSchema(schema: z.core.$ZodType): z.core.$ZodType {
  const def = definitionOf(schema);
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
    case 'nullable':
    case 'readonly':
      return unwrapSchema(def.innerType);
    case 'pipe':
      return unwrapSchema(def.in);
    default:
      return schema;
  }
}

/** The schema of what stands at `path`; undefined where no schema takes such a path. */
export function schemaAt(root: z.core.$ZodType, path: KeyPath): z.core.$ZodType | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return root;
  const child = schemaBelow(unwrapSchema(root), step);
  return child && schemaAt(child, rest);
}

function schemaBelow(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined {
  const def = definitionOf(schema);
  switch (def.type) {
    case 'object':
      return Object.hasOwn(def.shape, step) ? def.shape[String(step)] : undefined;
    case 'record':
      return def.valueType;
    case 'array':
      return def.element;
    case 'union':
      for (const option of def.options) {
        const found = schemaBelow(unwrapSchema(option), step);
        if (found) return found;
      }
      return undefined;
    default:
      return undefined;
  }
}

/** The keys of a mapping; none for anything else. */
export function keysOf(schema: z.core.$ZodType | undefined): string[] {
  if (!schema) return [];
  const def = definitionOf(unwrapSchema(schema));
  if (def.type === 'object') return Object.keys(def.shape);
  if (def.type === 'union') return def.options.flatMap((option) => keysOf(option));
  return [];
}

/** What may stand at a key, in words: `auto or a whole number from 1 to 1024`. */
export function allowedValues(schema: z.core.$ZodType): string {
  const stated = statedValues(schema);
  if (stated !== undefined) return stated;
  const inner = unwrapSchema(schema);
  const def = definitionOf(inner);
  switch (def.type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'number':
      return inner instanceof z.ZodNumber ? numberRange(inner) : 'a number';
    case 'literal':
      return orList(def.values.map(String));
    case 'enum':
      return orList(Object.values(def.entries).map(String));
    case 'union':
      return orList([...new Set(def.options.map(allowedValues))]);
    case 'array':
      return 'a list';
    case 'record':
      return 'a mapping of names to values';
    case 'object':
      return `a mapping with the keys ${Object.keys(def.shape).join(', ')}`;
    default:
      return def.type;
  }
}

/** What `keyFacts` states, of the schema or of what a wrapper around it holds. */
function statedValues(schema: z.core.$ZodType): string | undefined {
  const stated = keyFacts.get(schema)?.allowed;
  if (stated !== undefined) return stated;
  const def = definitionOf(schema);
  if (def.type === 'pipe') return statedValues(def.in);
  return 'innerType' in def ? statedValues(def.innerType) : undefined;
}

function numberRange({ minValue, maxValue }: z.ZodNumber): string {
  // z.int() has the bounds of exact integers where none are stated.
  if (minValue === null || maxValue === null || maxValue >= Number.MAX_SAFE_INTEGER) return 'a whole number';
  return `a whole number from ${minValue} to ${maxValue}`;
}

/** `301, 302 or 303`; with a comma before a last one of several words. */
function orList(values: readonly string[]): string {
  const last = values.at(-1) ?? '';
  if (values.length < 2) return last;
  return `${values.slice(0, -1).join(', ')}${last.includes(' ') ? ',' : ''} or ${last}`;
}
