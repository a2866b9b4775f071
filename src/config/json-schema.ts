import { z } from 'zod';
import { configSchema } from './schema.ts';
import { definitionOf } from './schema-walk.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A scalar may come from the environment: `workers: ${WORKERS:-4}`. */
const reference = '\\$\\{[A-Za-z_]';
const valueKeywords = ['type', 'const', 'enum', 'pattern', 'minimum', 'maximum'] as const;

/** The JSON Schema (draft 2020-12) of a configuration file, for completion and checks in an editor. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const { type } = definitionOf(zodSchema);
      if (['string', 'number', 'boolean', 'literal', 'enum'].includes(type)) admitReference(jsonSchema);
    },
  });
  const { $schema, ...rest } = schema;
  return {
    $schema: $schema ?? 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:portico:configuration',
    title: 'Portico configuration',
    ...rest,
  };
}

/** Lets a reference to an environment variable stand where the schema wants something narrower than text. */
function admitReference(schema: JsonSchema): void {
  const stated = Object.fromEntries(valueKeywords.flatMap((key) => (key in schema ? [[key, schema[key]]] : [])));
  if (stated['type'] === 'string' && Object.keys(stated).length === 1) return;
  for (const key of valueKeywords) delete schema[key];
  schema.anyOf = [stated, { type: 'string', pattern: reference }];
}
