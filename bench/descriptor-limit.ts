import { readFileSync } from 'node:fs';

/** How many descriptors a process may have; an open file of NGINX's cache is one, and so is a connection. */
export function descriptorLimit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024);
}
