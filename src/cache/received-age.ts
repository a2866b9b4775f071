import { parseAge } from '../http/age.ts';
import type { InterceptedResponse } from '../proxy/response-interceptor.ts';

/** Passes on the Age that an upstream sent, which the parser of a route with a cache keeps back. */
export function appendReceivedAge({ block, directives }: Pick<InterceptedResponse, 'block' | 'directives'>): void {
  if (directives === undefined) return;
  for (let index = 0; index < directives.length; index += 2) {
    if (directives[index] !== 'age') continue;
    const age = parseAge(directives[index + 1] ?? '');
    if (age !== undefined) block.appendText(`\r\nAge: ${age}`);
    return;
  }
}
