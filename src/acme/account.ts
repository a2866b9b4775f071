import { createPrivateKey } from 'node:crypto';
import type { AcmeConfig } from './acme-config.ts';
import { AcmeError } from './acme-error.ts';
import { AcmeSession } from './acme-session.ts';
import type { AcmeStorage, StoredAccount } from './acme-storage.ts';
import type { AuthorityConnection } from './authority-connection.ts';
import { externalAccountBinding, publicJwk, thumbprint } from './jws.ts';
import { newPrivateKey } from './own-certificate.ts';

/** A session as one of the authority's accounts. */
export interface Account {
  readonly session: AcmeSession;
  readonly kid: string;
  /** Of the account's key: the second part of every key authorization (RFC 8555 section 8.1). */
  readonly thumbprint: string;
}

/** Opens the account that is stored, or makes one. @throws AcmeError */
export async function openAccount(
  config: AcmeConfig,
  storage: AcmeStorage,
  connection: AuthorityConnection,
): Promise<Account> {
  const stored = storage.account() ?? { key: newPrivateKey('ecdsa').pem };
  const session = await AcmeSession.open(config.directory, createPrivateKey(stored.key), connection);
  const print = thumbprint(publicJwk(session.key));
  if (stored.url !== undefined) {
    if (await confirm(session, stored, stored.url, config)) {
      if (stored.email !== config.email) storage.saveAccount({ ...stored, email: config.email });
      return { session, kid: stored.url, thumbprint: print };
    }
  }
  // The key first: should the authority's answer be lost, the same key finds the same account.
  storage.saveAccount({ key: stored.key });
  const url = await register(session, config);
  storage.saveAccount({ key: stored.key, url, email: config.email });
  return { session, kid: url, thumbprint: print };
}

/** @returns whether the authority (still) knows it; tells it the address to write to when that has changed */
async function confirm(session: AcmeSession, stored: StoredAccount, url: string, config: AcmeConfig): Promise<boolean> {
  try {
    const payload = stored.email === config.email ? undefined : { contact: contactOf(config) };
    const { json } = await session.post(url, { kid: url }, payload);
    // RFC 8555 section 7.1.2: deactivated by us, or revoked by the authority. Another key is needed, which is for people to decide.
    if (json['status'] === 'valid') return true;
    throw new AcmeError('refused', `the account ${url} is ${String(json['status'])}: remove its file from the storage`);
  } catch (error) {
    if (error instanceof AcmeError && error.problem?.type === 'accountDoesNotExist') return false;
    throw error;
  }
}

async function register(session: AcmeSession, config: AcmeConfig): Promise<string> {
  const jwk = publicJwk(session.key);
  const { newAccount, externalAccountRequired } = session.directory;
  const { externalAccount } = config;
  if (externalAccountRequired && externalAccount === undefined) {
    throw new AcmeError('refused', 'the authority wants an account bound to one it knows: externalAccount is missing');
  }
  const binding =
    externalAccount === undefined
      ? {}
      : {
          externalAccountBinding: externalAccountBinding(jwk, externalAccount.keyId, externalAccount.key, newAccount),
        };
  const payload = { termsOfServiceAgreed: true, contact: contactOf(config), ...binding };
  const { location } = await session.post(newAccount, { jwk }, payload);
  if (location === undefined) throw new AcmeError('protocol', 'the authority gave the new account no URL');
  return location;
}

function contactOf({ email }: AcmeConfig): string[] {
  return email === undefined ? [] : [`mailto:${email}`];
}
