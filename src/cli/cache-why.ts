import type { CacheExplanation, StoredExplanation } from '../cache/cache-explanation.ts';
import { type AdminFlags, adminAddressOf, askAdmin, refusalIn } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { countOf } from './plural.ts';
import type { Terminal } from './terminal.ts';

/** The flags of `portico cache why`, as typed. */
export interface CacheWhyFlags extends AdminFlags {
  /** `Name: value` */
  readonly header?: readonly string[];
  readonly json?: boolean;
}

/** `portico cache why URL`: what is stored for it, until when, and what a request would meet. */
export async function cacheWhy(url: string, flags: CacheWhyFlags, terminal: Terminal): Promise<ExitCode> {
  const address = await adminAddressOf(flags, process.cwd());
  const query = new URLSearchParams({ url });
  for (const line of flags.header ?? []) query.append('header', line);
  try {
    const { status, value } = await askAdmin(address, 'GET', `/cache/why?${query.toString()}`);
    if (status !== 200) {
      terminal.error(`portico: ${refusalIn({ status, value })}\n`);
      return status === 400 ? exitCodes.usage : exitCodes.failed;
    }
    terminal.print(
      flags.json === true ? `${JSON.stringify(value, undefined, 2)}\n` : textOf(value as unknown as CacheExplanation),
    );
    return exitCodes.ok;
  } catch (error) {
    terminal.error(`portico: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.failed;
  }
}

/** The explanation for people. */
export function textOf({ url, site, route, zone, key, varies, request, stored }: CacheExplanation): string {
  const lines = [
    url,
    `  site ${site}, route ${route}${zone === undefined ? '' : `, zone ${zone}`}`,
    `  this request: ${request.result}. ${request.why}`,
  ];
  if (key !== undefined) lines.push(`  key: ${key.replaceAll('\n', ' | ')}`);
  if (varies !== undefined) lines.push(`  varies by: ${varies.join(', ')}`);
  if (zone !== undefined)
    lines.push(`  stored: ${stored.length === 0 ? 'nothing' : countOf(stored.length, 'response')}`);
  for (const each of stored) lines.push('', ...storedLines(each));
  return `${lines.join('\n')}\n`;
}

function storedLines(stored: StoredExplanation): string[] {
  const { variant, chosen, status, bytes, source, state, tags, storedAt, decidedBy, lifetimeSeconds, ageSeconds } =
    stored;
  const name = variant.length === 0 ? 'response' : `variant ${variant.join(', ')}`;
  return [
    `  ${name}${chosen ? ' (for this request)' : ''}: ${status}, ${bytes} bytes, ${source}, ${state}`,
    `    stored ${storedAt}, age ${ageSeconds} s, lifetime ${lifetimeSeconds} s by ${decidedBy}`,
    `    fresh until ${stored.freshUntil}`,
    ...(tags.length === 0 ? [] : [`    tags ${tags.join(', ')}`]),
    ...stored.sentences.map((sentence) => `    ${sentence}`),
  ];
}
