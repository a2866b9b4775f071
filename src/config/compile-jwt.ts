import { readFileSync } from 'node:fs';
import { isSymmetric, type JwtAlgorithm } from '../access/jwt-algorithm.ts';
import type { JwtConfig } from '../access/jwt-gate.ts';
import { parseKeySet } from '../access/key-set.ts';
import type { JwtInput } from './access-schema.ts';
import { checkIdentityField } from './compile-basic.ts';
import { checkServiceUrl } from './compile-forward.ts';
import type { Diagnosis } from './diagnosis.ts';
import { fileMistake } from './file-check.ts';
import { quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

const publicAlgorithms: readonly JwtAlgorithm[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const secretAlgorithms: readonly JwtAlgorithm[] = ['HS256'];
const sources = ['keysUrl', 'keysFile', 'secret'] as const;
const largestKeyFile = 256 * 1024;

/** Checks the keys of tokens and what goes with them. The secret never stands in a message. */
export function compileJwt(jwt: JwtInput, path: KeyPath, diagnosis: Diagnosis): JwtConfig {
  const { keysUrl, keysFile, keysMaxAge, secret, issuer, audience, claims, ...rest } = jwt;
  const given = sources.filter((name) => jwt[name] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.join(' and ');
    const message = given.length === 0 ? 'nothing to verify tokens with' : `several kinds of keys: ${found}`;
    diagnosis.report(path, { message, found, allowed: `exactly one of ${sources.join(', ')}` });
  }
  if (keysUrl !== undefined) checkServiceUrl(keysUrl, [...path, 'keysUrl'], diagnosis);
  if (keysUrl?.startsWith('http:') === true && !/^http:\/\/(?:127\.|localhost|\[::1\])/.test(keysUrl)) {
    diagnosis.warn(`${keysUrl}: keys that come without TLS may be anybody's`);
  }
  const file = keysFile === undefined ? undefined : diagnosis.absolute(keysFile);
  if (file !== undefined) checkKeyFile(file, [...path, 'keysFile'], diagnosis);
  if (secret !== undefined && !/^[\x21-\x7e]{32,}$/.test(secret)) {
    const mistake = {
      message: 'a secret that can be guessed',
      found: 'a short one',
      allowed: 'at least 32 characters of ASCII',
    };
    diagnosis.report([...path, 'secret'], mistake);
  }
  const algorithms = jwt.algorithms ?? (secret === undefined ? publicAlgorithms : secretAlgorithms);
  for (const [index, name] of algorithms.entries()) {
    if (isSymmetric(name) === (secret !== undefined)) continue;
    const [message, allowed] = isSymmetric(name)
      ? [`${name} needs a secret`, 'algorithms with public keys']
      : [`${name} needs public keys`, 'HS256, HS384, HS512'];
    diagnosis.report([...path, 'algorithms', index], { message, found: quote(name), allowed });
  }
  if (issuer === undefined && audience === undefined && secret === undefined) {
    diagnosis.warn(`${path.join('.')}: neither issuer nor audience: every token of whoever has these keys counts`);
  }
  for (const [claim, field] of Object.entries(claims)) checkIdentityField(field, [...path, 'claims', claim], diagnosis);
  const keys = file === undefined ? (keysUrl === undefined ? undefined : { url: keysUrl }) : { file };
  return {
    ...rest,
    algorithms,
    source: keys && { keys, keysMaxAge },
    secret,
    issuer: [issuer ?? []].flat(),
    audience: [audience ?? []].flat(),
    cookie: jwt.cookie,
    claims,
  };
}

function checkKeyFile(file: string, path: KeyPath, diagnosis: Diagnosis): void {
  const mistake = fileMistake(file, { maxBytes: largestKeyFile });
  if (mistake) return diagnosis.report(path, mistake);
  try {
    if (parseKeySet(readFileSync(file, 'utf8')).length > 0) return;
    diagnosis.report(path, {
      message: `no usable key in ${quote(file)}`,
      found: 'none',
      allowed: 'public keys for signatures (JWKS)',
    });
  } catch {
    diagnosis.report(path, {
      message: `${quote(file)} is no set of keys`,
      found: quote(file),
      allowed: 'a JWKS: {"keys": […]}',
    });
  }
}
