import type { Config } from '../config/config.ts';
import type { ConfigSource } from '../config/config-source.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { countOf } from './plural.ts';
import type { Terminal } from './terminal.ts';

/** `portico check`: says whether a configuration would be served, with every mistake that keeps it from it. */
export async function check(source: ConfigSource, terminal: Terminal): Promise<ExitCode> {
  const loaded = await loadConfig(source, process.env);
  if (!loaded.ok) {
    terminal.error(formatProblems(loaded.problems, { colour: terminal.errorColour }));
    terminal.error(`${countOf(loaded.problems.length, 'problem')} found\n`);
    return exitCodes.usage;
  }
  for (const warning of loaded.warnings) terminal.error(`warning: ${warning}\n`);
  terminal.print(`${loaded.source} is valid: ${summary(loaded.config)}\n`);
  return exitCodes.ok;
}

function summary({ sites, upstreams }: Config): string {
  const routes = sites.reduce((count, site) => count + site.routes.length, 0);
  return [
    countOf(sites.length, 'site'),
    countOf(routes, 'route'),
    countOf(Object.keys(upstreams).length, 'upstream'),
  ].join(', ');
}
