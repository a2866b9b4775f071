import { readdirSync } from 'node:fs';

/** Every file below a folder whose name ends so, sorted. Node 20 has no glob of its own. */
export function globSync(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
}
