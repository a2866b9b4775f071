import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configJsonSchema } from '../../../src/config/json-schema.ts';

type Node = Record<string, unknown>;

/** Every schema that stands under `properties`, with its path. */
function* properties(node: Node, path = ''): Generator<[string, Node]> {
  for (const [key, value] of Object.entries(node)) {
    if (typeof value !== 'object' || value === null) continue;
    if (key === 'properties') {
      for (const [name, schema] of Object.entries(value as Record<string, Node>)) yield [`${path}.${name}`, schema];
    }
    yield* properties(value as Node, key === 'properties' ? path : `${path}/${key}`);
  }
}

function admits(schema: Node, text: string): boolean {
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as Node[]).some((option) => admits(option, text));
  if (schema['type'] !== 'string') return false;
  const { const: only, enum: several, pattern } = schema;
  if (only !== undefined && only !== text) return false;
  if (Array.isArray(several) && !several.includes(text)) return false;
  return typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text);
}

describe('the JSON Schema', () => {
  const schema = configJsonSchema() as Node;
  const all = [...properties(schema)];

  test('names its dialect and itself, no host of ours', () => {
    assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
    assert.match(String(schema['$id']), /^urn:/);
  });

  test('describes every key', () => {
    assert.ok(all.length > 60);
    assert.deepEqual(
      all.filter(([, { description }]) => typeof description !== 'string').map(([path]) => path),
      [],
    );
  });

  test('refuses unknown keys and asks for the sites only', () => {
    assert.equal(schema['additionalProperties'], false);
    assert.deepEqual(schema['required'], ['sites']);
  });

  test('has patterns that every regular expression engine of the standard takes', () => {
    const text = JSON.stringify(schema);
    for (const [, pattern = ''] of text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) {
      assert.doesNotThrow(() => new RegExp(JSON.parse(pattern) as string, 'u'), pattern);
    }
  });

  test('admits references to environment variables where it wants a form', () => {
    const named = Object.fromEntries(all.map(([path, node]) => [path.replace(/^.*\./, ''), node]));
    for (const key of ['shutdownTimeout', 'workers', 'level', 'weight', 'listing', 'headerSize']) {
      assert.ok(admits(named[key] ?? {}, '${VALUE:-x}'), key);
    }
    assert.ok(admits(named['shutdownTimeout'] ?? {}, '30s'));
    assert.ok(!admits(named['shutdownTimeout'] ?? {}, '30 seconds'));
    assert.ok(!admits(named['level'] ?? {}, 'loud'));
  });
});
