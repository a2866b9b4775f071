import { z } from 'zod';
import { keyFacts } from './key-facts.ts';

/* Kinds of text that stand in several places of a configuration. */

/** Text of a form that a regular expression states and `allowed` says in words. */
export function textLike(form: RegExp, allowed: string) {
  return z.string().regex(form).register(keyFacts, { allowed });
}

/** Text that the compilation looks at more closely. */
export function textOf(allowed: string) {
  return z.string().min(1).register(keyFacts, { allowed });
}

export const label = textLike(
  /^[A-Za-z0-9_/][A-Za-z0-9_.:/*-]{0,99}$/,
  'a name of at most 100 letters, digits and _ . : / * -, which does not begin with . : * or -',
);
export const fieldName = textLike(
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/,
  'the name of an HTTP field, such as X-Frame-Options',
);
export const fieldValue = textLike(
  // oxlint-disable-next-line no-control-regex
  /^[\t\x20-\x7e\x80-\xff]*$/,
  'the value of an HTTP field: one line of Latin-1 text',
);
export const listenAddress = textOf('host:port, [ipv6]:port or :port, with a port from 0 to 65535');
export const serverUrl = textOf('http://host:port, https://host:port, host:port, unix:/path/to/socket or srv://name');
export const upstreamName = textOf('the name of an upstream');
export const folder = textOf('the path of a folder');
export const file = textOf('the path of a file');
