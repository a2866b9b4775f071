import { readFile, writeFile } from 'node:fs/promises';

/**
 * Moves a copied configuration of an example to addresses that are free: replaces each text by another, wherever it stands.
 * @throws Error for a text that does not occur, so that a test never runs against other addresses than it thinks
 */
export async function moveConfiguration(path: string, moves: Readonly<Record<string, string>>): Promise<void> {
  let text = await readFile(path, 'utf8');
  for (const [from, to] of Object.entries(moves)) {
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  await writeFile(path, text);
}
