import { existsSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import type { Diagnosis } from './diagnosis.ts';
import { folderMistake } from './file-check.ts';
import { formatKeyPath, quote } from './finding.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { checkUpstreamName } from './upstream-reference.ts';

type ParsedStatic = NonNullable<ParsedConfig['sites'][number]['routes'][number]['static']>;

/** Checks a static route against the disk and makes its root absolute. */
export function compileStatic(
  files: ParsedStatic,
  path: KeyPath,
  upstreams: ParsedConfig['upstreams'],
  diagnosis: Diagnosis,
): ParsedStatic {
  const root = diagnosis.absolute(files.root);
  const mistake = folderMistake(root);
  if (mistake) diagnosis.report([...path, 'root'], mistake);
  if (files.passThrough !== undefined) {
    checkUpstreamName(files.passThrough, [...path, 'passThrough'], upstreams, diagnosis);
  }
  if (files.fallback !== undefined) checkFallback(files, root, path, mistake === undefined, diagnosis);
  for (const [index, { match }] of files.cacheControl.entries()) {
    checkGlob(match, [...path, 'cacheControl', index, 'match'], diagnosis);
  }
  return { ...files, root };
}

function checkFallback(
  files: ParsedStatic,
  root: string,
  path: KeyPath,
  rootIsThere: boolean,
  diagnosis: Diagnosis,
): void {
  const fallback = files.fallback ?? '';
  const place = [...path, 'fallback'];
  const file = join(root, fallback);
  const found = quote(fallback);
  if (files.passThrough !== undefined) {
    const message = 'fallback and passThrough exclude each other';
    diagnosis.reportKey(place, { message, found: 'both', allowed: 'one of fallback, passThrough' });
  } else if (
    fallback.includes('\0') ||
    !file.startsWith(withSlash(root)) ||
    fallback.endsWith('/') ||
    fallback === ''
  ) {
    const message = `the fallback ${found} is no file in the root`;
    diagnosis.report(place, { message, found, allowed: 'the path of a file below the root, such as /index.html' });
  } else if (rootIsThere && !existsSync(file)) {
    diagnosis.warn(`${formatKeyPath(place)}: there is no file ${resolve(file)} yet`);
  }
}

function checkGlob(glob: string, path: KeyPath, diagnosis: Diagnosis): void {
  try {
    if (glob !== '') {
      picomatch.makeRe(glob, { strictBrackets: true });
      return;
    }
  } catch {
    // Reported below: the library's own words speak of its inner workings.
  }
  const allowed = 'a glob such as **/*.css';
  diagnosis.report(path, { message: `wrong pattern ${quote(glob)}`, found: quote(glob), allowed });
}

function withSlash(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}
