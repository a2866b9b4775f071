import { readFileSync } from 'node:fs';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** `portico version`: what runs, for a bug report. */
export async function version(terminal: Terminal): Promise<ExitCode> {
  terminal.print(`Portico ${programVersion()}\nNode.js ${process.versions.node}\n${await engineLine()}\n`);
  return exitCodes.ok;
}

/** `0.1.0` */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: current }: { version: string } = JSON.parse(text);
  return current;
}

/** Loaded here only, because the other commands work where no build does. */
async function engineLine(): Promise<string> {
  const { loadUws } = await import('../listener/uws-module.ts');
  try {
    const { name, compatibility } = loadUws();
    return compatibility ? `${name} (compatibility build)` : name;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
