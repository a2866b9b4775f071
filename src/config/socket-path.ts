import { resolve } from 'node:path';
import type { Checked } from './diagnosis.ts';
import { quote } from './finding.ts';

/** `sun_path` of a Unix socket address has 108 bytes, the last one a NUL (unix(7)). */
const longestSocketPath = 107;

/** The absolute path in `unix:/path/to/socket`. @param allowed what else may stand there, for the message */
export function parseSocketPath(text: string, baseFolder: string, allowed: string): Checked<string> {
  const path = text.slice('unix:'.length);
  if (path === '' || path.includes('\0')) {
    return { mistake: { message: `wrong address ${quote(text)}`, found: quote(text), allowed } };
  }
  const socketPath = resolve(baseFolder, path);
  const bytes = Buffer.byteLength(socketPath);
  if (bytes <= longestSocketPath) return { value: socketPath };
  const found = `${bytes} bytes`;
  const message = `the path of the socket is too long: ${found}`;
  return { mistake: { message, found, allowed: `at most ${longestSocketPath} bytes` } };
}
