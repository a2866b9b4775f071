import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { createLogger } from '../log/logger.ts';
import { AddressError } from '../primary/port-reservation.ts';
import { Primary, type PrimaryResult } from '../primary/primary.ts';
import { resolveAddresses } from '../primary/served-config.ts';
import { Signals } from '../primary/signals.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { countOf } from './plural.ts';
import type { ServeOptions } from './serve-options.ts';
import { processTerminal } from './terminal.ts';
import { programVersion } from './version.ts';

const exitCodeOf = {
  stopped: exitCodes.ok,
  failed: exitCodes.failed,
  refused: exitCodes.usage,
} as const satisfies Record<PrimaryResult, ExitCode>;

/** `portico serve`: serves until it is told to stop. What is wrong with the configuration or its addresses is said before anything is served. */
export async function serve({ source }: ServeOptions): Promise<ExitCode> {
  const signals = new Signals(process);
  const terminal = processTerminal();
  const load = () => loadConfig(source, process.env);
  try {
    const loaded = await load();
    if (!loaded.ok) {
      terminal.error(formatProblems(loaded.problems, { colour: terminal.errorColour }));
      terminal.error(`portico: not started: ${countOf(loaded.problems.length, 'problem')} in the configuration\n`);
      return exitCodes.usage;
    }
    const { hash, warnings } = loaded;
    const config = await resolveAddresses(loaded.config);
    const { level, format } = config.log;
    const { stderr } = process;
    const logger = createLogger({ level, format, stream: stderr, isTerminal: stderr.isTTY });
    for (const warning of warnings) logger.warn(warning);
    const initial = { generation: 1, config, hash, source: loaded.source, loadedAt: new Date() };
    const primary = new Primary({
      initial,
      load,
      signals,
      logger,
      environment: process.env,
      version: programVersion(),
    });
    return exitCodeOf[await primary.run()];
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    terminal.error(`portico: ${error.message}\n`);
    return exitCodes.usage;
  } finally {
    signals.close();
  }
}
