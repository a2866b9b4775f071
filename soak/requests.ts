import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Content } from './content.ts';
import type { Random } from './random.ts';

/** Something to ask for, and what must come. */
export interface SoakRequest {
  readonly kind: string;
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  readonly expected: Buffer;
}

interface Kind {
  readonly name: string;
  /** How often, compared with the others. */
  readonly share: number;
  readonly bytes: number;
  /** Path below which it is. */
  readonly prefix: string;
  readonly method?: 'HEAD';
}

const kinds: readonly Kind[] = [
  { name: 'dynamic, small', share: 40, bytes: 300, prefix: '/app/plain' },
  { name: 'dynamic, 30 KB', share: 12, bytes: 30_000, prefix: '/app/plain' },
  { name: 'dynamic, 1 MB', share: 2, bytes: 1_000_000, prefix: '/app/plain' },
  { name: 'dynamic, chunked', share: 8, bytes: 120_000, prefix: '/app/chunked' },
  { name: 'dynamic, slow', share: 2, bytes: 500, prefix: '/app/slow' },
  { name: 'dynamic, HEAD', share: 3, bytes: 300, prefix: '/app/plain', method: 'HEAD' },
  { name: 'static, small', share: 25, bytes: 2000, prefix: '/static' },
  { name: 'static, 100 KB', share: 6, bytes: 100_000, prefix: '/static' },
  { name: 'static, 5 MB', share: 1, bytes: 5_000_000, prefix: '/static' },
];
/** Different contents of each kind; more than Gunicorn workers, so that mixed-up responses show. */
const variants = 8;
const drawer = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind));

/** Writes the static files. @returns their folder */
export function writeStaticFiles(folder: string, content: Content): string {
  const root = join(folder, 'static');
  for (const { prefix, bytes } of kinds.filter((kind) => kind.prefix === '/static')) {
    for (let variant = 0; variant < variants; variant++) {
      const path = `${prefix}/${bytes}/${variant}`;
      mkdirSync(join(folder, prefix, String(bytes)), { recursive: true });
      writeFileSync(join(folder, path), content.body(path, bytes));
    }
  }
  return root;
}

export function drawRequest(random: Random, content: Content): SoakRequest {
  const { name, prefix, bytes, method = 'GET' } = random.pick(drawer);
  const path = `${prefix}/${bytes}/${random.below(variants)}`;
  return { kind: name, path, method, expected: content.body(path, bytes) };
}
