import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { keyFacts } from '../../src/config/key-facts.ts';
import { configSchema } from '../../src/config/schema.ts';
import { allowedValues, definitionOf, unwrapSchema } from '../../src/config/schema-walk.ts';
import { type GeneratedDocument, generatedNotice, markdownTable } from './generated-document.ts';

interface Section {
  /** `sites[].routes[].static`; empty for the top. */
  readonly path: string;
  readonly meaning: string;
  readonly shape: Readonly<Record<string, z.core.$ZodType>>;
}

/** docs/configuration.md: an introduction by hand, then a table for each mapping of the schema. */
export const configurationDocument: GeneratedDocument = {
  path: 'docs/configuration.md',
  render: () => {
    const introduction = readFileSync(new URL('configuration-introduction.md', import.meta.url), 'utf8').trim();
    const sections = sectionsOf({ path: '', meaning: '', shape: configSchema.shape });
    return `${[generatedNotice, introduction, ...sections.map(renderSection)].join('\n\n')}\n`;
  },
};

/** A mapping and those within it, in the order of the schema. */
function sectionsOf(section: Section): Section[] {
  const inner = Object.entries(section.shape).flatMap(([key, schema]) => {
    const path = section.path === '' ? key : `${section.path}.${key}`;
    return mappingsIn(path, schema, descriptionOf(schema));
  });
  return [section, ...inner.flatMap(sectionsOf)];
}

function mappingsIn(path: string, schema: z.core.$ZodType, meaning: string): Section[] {
  const def = definitionOf(unwrapSchema(schema));
  switch (def.type) {
    case 'object':
      return [{ path, meaning, shape: def.shape }];
    case 'array':
      return mappingsIn(`${path}[]`, def.element, meaning);
    case 'record':
      return mappingsIn(`${path}.NAME`, def.valueType, meaning);
    case 'union':
      return def.options.flatMap((option) => mappingsIn(path, option, meaning));
    default:
      return [];
  }
}

function renderSection({ path, meaning, shape }: Section): string {
  const rows = Object.entries(shape).map(([key, schema]) => renderRow(path, key, schema));
  const table = markdownTable(['Key', 'Value', 'Default', 'Reload', 'NGINX', 'Meaning'], rows);
  const heading = path === '' ? '## Top level' : `## \`${path}\``;
  const { text } = splitNginx(meaning);
  return [heading, text, table].filter((part) => part !== '').join('\n\n');
}

const reloadTexts = { replacement: 'new workers', restart: 'restart' } as const;

function renderRow(path: string, key: string, schema: z.core.$ZodType): string[] {
  const { text, nginx } = splitNginx(descriptionOf(schema));
  const full = path === '' ? key : `${path}.${key}`;
  if (text === '') throw new Error(`${full} has no description`);
  const reload = keyFacts.get(schema)?.appliesAt ?? inheritedTime(schema);
  return [
    `\`${key}\``,
    valueOf(full, schema),
    defaultOf(schema),
    reload === undefined ? 'yes' : reloadTexts[reload],
    nginx,
    text,
  ];
}

function inheritedTime(schema: z.core.$ZodType): 'replacement' | 'restart' | undefined {
  const def = definitionOf(schema);
  if (!('innerType' in def)) return undefined;
  return keyFacts.get(def.innerType)?.appliesAt ?? inheritedTime(def.innerType);
}

/** What may stand there, with a link where a section says more. */
function valueOf(path: string, schema: z.core.$ZodType): string {
  const [section] = mappingsIn(path, schema, '');
  // `*` and `_` would be emphasis.
  const allowed = allowedValues(schema).replace(/[*_]/g, '\\$&');
  if (!section) return allowed;
  const { type } = definitionOf(unwrapSchema(schema));
  if (type === 'array') return `${allowed}; see ${linkTo(section)}`;
  const kind = type === 'record' ? 'a mapping of names' : allowed.replace(/a mapping with.*/, 'a mapping');
  return `${kind}, see ${linkTo(section)}`;
}

function linkTo({ path }: Section): string {
  // The anchor that GitHub makes of the heading.
  return `[\`${path}\`](#${path.toLowerCase().replace(/[^a-z0-9_-]/g, '')})`;
}

function defaultOf(schema: z.core.$ZodType): string {
  const def = definitionOf(schema);
  if (def.type === 'optional') return '';
  if (def.type !== 'default' && def.type !== 'prefault') return '**required**';
  const value: unknown = def.defaultValue;
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) {
    return Array.isArray(value) ? '`[]`' : '`{}`';
  }
  return `\`${typeof value === 'string' ? value || '""' : JSON.stringify(value)}\``;
}

function descriptionOf(schema: z.core.$ZodType): string {
  const description = z.globalRegistry.get(schema)?.description;
  if (description !== undefined) return description;
  const def = definitionOf(schema);
  return 'innerType' in def ? descriptionOf(def.innerType) : '';
}

/** The counterpart stands at the end of a description: ``… NGINX: `listen`.`` */
function splitNginx(description: string): { text: string; nginx: string } {
  const [, text = description, nginx = ''] = /^(.*?)\s*NGINX: (.*)\.$/s.exec(description) ?? [];
  return { text, nginx };
}
