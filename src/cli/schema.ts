import { configJsonSchema } from '../config/json-schema.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** `portico schema`: the JSON Schema of the configuration. */
export function schema(terminal: Terminal): ExitCode {
  terminal.print(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return exitCodes.ok;
}
