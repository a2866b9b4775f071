import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The names that are looked for, in this order, when no file is named. */
export const defaultConfigFiles = [
  'portico.yaml',
  'portico.yml',
  'portico.json',
  'portico.config.ts',
  'portico.config.js',
  'portico.config.mjs',
] as const;

/** The configuration file of a folder, by its relative name; undefined when there is none. */
export function findConfigFile(folder: string): string | undefined {
  return defaultConfigFiles.find((name) => existsSync(join(folder, name)));
}
