import { type AdminFlags, adminAddressOf, askAdmin, refusalIn } from './admin-client.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { countOf } from './plural.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** The flags of `portico purge`, as typed. */
export interface PurgeFlags extends AdminFlags {
  readonly prefix?: readonly string[];
  readonly host?: readonly string[];
  readonly tag?: readonly string[];
  readonly all?: boolean;
  readonly soft?: boolean;
  readonly zone?: string;
}

/** `portico purge`: has stored responses removed, or marked stale, and waits until every worker obeys. */
export async function purge(urls: readonly string[], flags: PurgeFlags, terminal: Terminal): Promise<ExitCode> {
  const { prefix = [], host = [], tag = [], all = false, soft = false, zone } = flags;
  const named = urls.length + prefix.length + host.length + tag.length;
  if (named === 0 && !all) throw new UsageError('name an URL, --prefix, --host or --tag, or --all for everything');
  if (named > 0 && all) throw new UsageError('--all leaves nothing to be named besides');
  const address = await adminAddressOf(flags, process.cwd());
  const wish = { urls, prefixes: prefix, hosts: host, tags: tag, everything: all, soft };
  try {
    const { status, value } = await askAdmin(
      address,
      'POST',
      '/cache/purge',
      zone === undefined ? wish : { ...wish, zone },
    );
    if (status !== 200 && status !== 202) {
      terminal.error(`portico: ${refusalIn({ status, value })}\n`);
      return status === 400 ? exitCodes.usage : exitCodes.failed;
    }
    return report(value, soft, terminal);
  } catch (error) {
    terminal.error(`portico: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.failed;
  }
}

function report(value: Readonly<Record<string, unknown>>, soft: boolean, terminal: Terminal): ExitCode {
  const { orders, workers, silent, milliseconds, warning } = value;
  if (orders === 0) {
    terminal.error('portico: nothing to purge: no route has a cache that this could concern\n');
    return exitCodes.ok;
  }
  const what = soft ? 'marked stale' : 'purged';
  terminal.print(`${what} in ${countOf(Number(workers), 'worker')} after ${String(milliseconds)} ms\n`);
  if (typeof warning === 'string') terminal.error(`warning: ${warning}\n`);
  if (silent === 0) return exitCodes.ok;
  terminal.error(`portico: ${countOf(Number(silent), 'worker')} did not confirm in time\n`);
  return exitCodes.failed;
}
