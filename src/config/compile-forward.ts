import type { ForwardConfig } from '../access/forward-gate.ts';
import type { ForwardInput } from './access-schema.ts';
import { checkIdentityField } from './compile-basic.ts';
import type { Diagnosis } from './diagnosis.ts';
import { requestFieldsOfPortico, responseFieldsOfPortico } from './field-changes.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

/** Checks the service that decides. */
export function compileForward(forward: ForwardInput, path: KeyPath, diagnosis: Diagnosis): ForwardConfig {
  const { url, passHeaders, copyHeaders, clientHeaders, cacheBy } = forward;
  checkServiceUrl(url, [...path, 'url'], diagnosis);
  for (const [index, name] of copyHeaders.entries())
    checkIdentityField(name, [...path, 'copyHeaders', index], diagnosis);
  for (const [index, name] of passHeaders.entries()) {
    const lower = name.toLowerCase();
    const made = requestFieldsOfPortico.has(lower) || lower.startsWith('x-forwarded-') || lower === 'x-request-id';
    if (made) reportOwn(name, [...path, 'passHeaders', index], diagnosis);
  }
  for (const [index, name] of clientHeaders.entries()) {
    if (responseFieldsOfPortico.has(name.toLowerCase())) reportOwn(name, [...path, 'clientHeaders', index], diagnosis);
  }
  const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  return {
    ...forward,
    passHeaders: lower(passHeaders),
    clientHeaders: lower(clientHeaders),
    cacheBy: cacheBy?.map((part) =>
      typeof part === 'object' && 'header' in part ? { header: part.header.toLowerCase() } : part,
    ),
  };
}

/** A service that is asked by HTTP: no user or password in its URL, which stands in messages. */
export function checkServiceUrl(text: string, path: KeyPath, diagnosis: Diagnosis): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url !== undefined && /^https?:$/.test(url.protocol) && url.hash === '';
  if (usable && url.username === '' && url.password === '') return;
  const found = usable ? 'a URL with a password' : quote(text);
  const allowed = 'an http:// or https:// URL without a password';
  diagnosis.report(path, { message: usable ? 'a password in the URL' : `wrong URL ${quote(text)}`, found, allowed });
}

function reportOwn(name: string, path: KeyPath, diagnosis: Diagnosis): void {
  const message = `Portico makes the field ${quote(name)} itself`;
  diagnosis.report(path, { message, found: quote(name), allowed: 'other fields' });
}
