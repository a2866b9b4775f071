/** Fields of a response by which an application tells the server in front of it what to do. They never reach clients. */
export const directiveNames = [
  'x-accel-redirect',
  'x-accel-limit-rate',
  'x-accel-buffering',
  'x-accel-expires',
  'x-accel-charset',
  'x-sendfile',
] as const;

export type DirectiveName = (typeof directiveNames)[number];

/** The value of a directive, undefined without it or when it is empty. Of several the first counts, as in NGINX. */
export function directive(directives: readonly string[], name: DirectiveName): string | undefined {
  for (let index = 0; index < directives.length; index += 2) {
    if (directives[index] === name) return directives[index + 1] || undefined;
  }
  return undefined;
}

/** Bytes a second in X-Accel-Limit-Rate; 0 for no bound, undefined for what is no rate. */
export function parseRate(value: string): number | undefined {
  if (value === 'off') return 0;
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
