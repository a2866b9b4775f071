import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { explainFileError } from './file-error.ts';
import { quote } from './finding.ts';
import { brokenSource, type LoadedSource } from './loaded-source.ts';
import { readModuleSource } from './module-source.ts';
import { readYamlSource } from './yaml-source.ts';

const moduleForm = /\.[cm]?[jt]s$/;
const dataForm = /\.(ya?ml|json)$/;
/** A configuration is written by hand; a file beyond this is some other file. */
const largestFile = 4 * 1024 * 1024;

/**
 * Reads a configuration file in whichever form its name says.
 *
 * @param file as the user named it
 */
export async function readFileSource(file: string, environment: NodeJS.ProcessEnv): Promise<LoadedSource> {
  if (moduleForm.test(file)) return readModuleSource(file, environment);
  if (!dataForm.test(file)) {
    const allowed = 'a name that ends in .yaml, .yml, .json, .ts, .mts, .js, .mjs or .cjs';
    return brokenSource(file, { message: 'unknown kind of configuration file', found: quote(file), allowed });
  }
  const text = readText(resolve(file));
  return 'message' in text ? brokenSource(file, text) : readYamlSource(file, text.text, environment);
}

function readText(path: string): { text: string } | { message: string; found: string; allowed: string } {
  const allowed = 'a readable configuration file';
  try {
    const { size } = statSync(path);
    if (size > largestFile) {
      return { message: 'the file is too large', found: `${size} bytes`, allowed: `at most ${largestFile} bytes` };
    }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) };
  } catch (error) {
    if (error instanceof TypeError) {
      return { message: 'the file is not valid UTF-8', found: 'other bytes', allowed: 'text in UTF-8' };
    }
    return { message: `cannot read the file: ${explainFileError(error)}`, found: explainFileError(error), allowed };
  }
}
