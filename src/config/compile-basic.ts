import { readFileSync } from 'node:fs';
import type { BasicConfig } from '../access/basic-gate.ts';
import { parseHtpasswd, userNameMistake } from '../access/htpasswd.ts';
import { passwordHashMistake } from '../access/password-hash.ts';
import type { BasicInput } from './access-schema.ts';
import type { Diagnosis } from './diagnosis.ts';
import { requestFieldsOfPortico } from './field-changes.ts';
import { fileMistake } from './file-check.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

const allowedHash = 'a bcrypt hash, as `htpasswd -nB USER` makes it, or an argon2 hash';
/** Mistakes of one file that are told. */
const maxTold = 10;

/** Checks users and the hashes of their passwords. Hashes never stand in a message. */
export function compileBasic(basic: BasicInput, path: KeyPath, diagnosis: Diagnosis): BasicConfig {
  for (const [name, hash] of Object.entries(basic.users)) {
    const place = [...path, 'users', name];
    const wrongName = userNameMistake(Buffer.from(name, 'utf8').toString('latin1'));
    if (wrongName !== undefined) {
      diagnosis.reportKey(place, { message: wrongName, found: quote(name), allowed: 'a name without a colon' });
    }
    const wrongHash = passwordHashMistake(hash);
    if (wrongHash !== undefined) {
      diagnosis.report(place, { message: wrongHash, found: 'a hash that cannot be used', allowed: allowedHash });
    }
  }
  const file = basic.file === undefined ? undefined : diagnosis.absolute(basic.file);
  if (file !== undefined) checkFile(file, [...path, 'file'], diagnosis);
  if (file === undefined && Object.keys(basic.users).length === 0) {
    diagnosis.report(path, { message: 'nobody can sign in', found: 'no users', allowed: 'users, or a file of users' });
  }
  if (/["\\]/.test(basic.realm)) {
    const message = 'a quote or a backslash in the realm';
    diagnosis.report([...path, 'realm'], { message, found: quote(basic.realm), allowed: 'text without " and \\' });
  }
  const { userField } = basic;
  if (userField !== false) checkIdentityField(userField, [...path, 'userField'], diagnosis);
  return { ...basic, users: latinNames(basic.users), file, userField: userField === false ? undefined : userField };
}

/** Clients may not send it, so it must not be one that they need. */
export function checkIdentityField(name: string, path: KeyPath, diagnosis: Diagnosis): void {
  const lower = name.toLowerCase();
  const needed = requestFieldsOfPortico.has(lower) || ['authorization', 'cookie', 'origin', 'accept'].includes(lower);
  if (!needed && !name.includes('_')) return;
  const allowed = 'a field of its own, such as X-Remote-User, without an underscore';
  diagnosis.report(path, { message: `the field ${quote(name)} cannot tell who asks`, found: quote(name), allowed });
}

function checkFile(file: string, path: KeyPath, diagnosis: Diagnosis): void {
  const mistake = fileMistake(file, {});
  if (mistake) return diagnosis.report(path, mistake);
  const { users, mistakes } = parseHtpasswd(readFileSync(file, 'latin1'));
  for (const { line, reason } of mistakes.slice(0, maxTold)) {
    const message = `line ${line} of ${quote(file)}: ${reason}`;
    diagnosis.report(path, {
      message,
      found: 'a line that cannot be used',
      allowed: 'lines of user:hash with bcrypt or argon2 hashes',
    });
  }
  if (users.size === 0 && mistakes.length === 0) diagnosis.warn(`${file}: there are no users in it`);
}

/** As clients send them: UTF-8, of which each byte is a character. */
function latinNames(users: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(users).map(([name, hash]) => [Buffer.from(name, 'utf8').toString('latin1'), hash]);
  return Object.fromEntries(named) as Record<string, string>;
}
