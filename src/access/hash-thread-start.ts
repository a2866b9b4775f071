import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Starts the thread that checks passwords: compiled or from source alike, and without the environment's secrets. */
export function startHashThread(): Worker {
  const extension = extname(import.meta.url);
  // The bundle keeps the thread's module one folder deep, as it keeps the module that this becomes a part of.
  const module = new URL(`../access/hash-thread${extension}`, import.meta.url);
  if (extension === '.js') return new Worker(module, { env: {} });
  // Threads do not take over the loader that the process reads TypeScript with.
  const load = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(module.href)}); })`;
  return new Worker(load, { eval: true, env: {} });
}
