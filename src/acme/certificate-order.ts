import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Account, openAccount } from './account.ts';
import type { AcmeConfig } from './acme-config.ts';
import { AcmeError } from './acme-error.ts';
import type { JsonAnswer } from './acme-session.ts';
import type { AcmeStorage, StoredOrder } from './acme-storage.ts';
import type { AuthorityConnection } from './authority-connection.ts';
import { certificateRequest } from './certificate-request.ts';
import type { ChallengeResponse, ChallengeType } from './challenge-response.ts';
import {
  type AuthorizationState,
  type ChallengeState,
  chooseChallenge,
  type OrderState,
  readAuthorization,
  readOrder,
  validationError,
} from './order-progress.ts';
import { challengeCertificate, newPrivateKey } from './own-certificate.ts';

const firstPollMs = 500;
const slowestPollMs = 10_000;
const longestPollMs = 60_000;
const decisionMs = 300_000;

/** What an order needs of the world. */
export interface OrderResources {
  readonly storage: AcmeStorage;
  readonly connection: AuthorityConnection;
  /** Has these answered by every worker, in the place of those before; resolves when they are. */
  readonly present: (responses: readonly ChallengeResponse[]) => Promise<void>;
  /** Throws when the program stops meanwhile. */
  readonly delay: (milliseconds: number) => Promise<void>;
  /** Monotonic, milliseconds. */
  readonly clock: () => number;
}

/** One order for a certificate: from the account to the file. */
export class CertificateOrder {
  readonly #config: AcmeConfig;
  readonly #resources: OrderResources;

  constructor(config: AcmeConfig, resources: OrderResources) {
    this.#config = config;
    this.#resources = resources;
  }

  /**
   * Goes on with an order that was begun, or places one, and stores the certificate.
   * @param challenges kinds that can be answered, best first
   * @param replaces   name of the certificate that this one is to replace (RFC 9773 section 5)
   * @throws AcmeError
   */
  async run(challenges: readonly ChallengeType[], replaces?: string): Promise<X509Certificate> {
    const { storage, connection } = this.#resources;
    const account = await openAccount(this.#config, storage, connection);
    const stored = (await this.#resume(account)) ?? (await this.#place(account, replaces));
    try {
      return await this.#complete(account, stored, challenges);
    } catch (error) {
      // What the authority has decided stays decided; the rest can be taken up again.
      const isFinal = error instanceof AcmeError && ['validation', 'refused', 'protocol'].includes(error.failure);
      if (isFinal) storage.forgetOrder();
      throw error;
    }
  }

  async #resume({ session, kid }: Account): Promise<StoredOrder | undefined> {
    const { storage } = this.#resources;
    const stored = storage.order();
    if (stored === undefined) return undefined;
    try {
      const order = readOrder(await session.post(stored.url, { kid }));
      if (order.status !== 'invalid') return stored;
    } catch (error) {
      if (!(error instanceof AcmeError) || error.failure !== 'refused') throw error;
    }
    storage.forgetOrder();
    return undefined;
  }

  async #place({ session, kid }: Account, replaces: string | undefined): Promise<StoredOrder> {
    const { domains, directory, keyType } = this.#config;
    const { newOrder } = session.directory;
    const identifiers = domains.map((value) => ({ type: 'dns', value }));
    const post = (payload: object): Promise<JsonAnswer> => session.post(newOrder, { kid }, payload);
    const answer = await (replaces === undefined
      ? post({ identifiers })
      : post({ identifiers, replaces }).catch((error: unknown) => {
          // It was replaced already, or the authority has forgotten it: the order is good without.
          if (error instanceof AcmeError && error.failure === 'refused') return post({ identifiers });
          throw error;
        }));
    if (answer.location === undefined) throw new AcmeError('protocol', 'the authority gave the new order no URL');
    const { pem: key } = newPrivateKey(keyType);
    this.#resources.storage.saveOrder({ url: answer.location, key });
    return { url: answer.location, key, directory, domains, keyType };
  }

  async #complete(
    account: Account,
    stored: StoredOrder,
    challenges: readonly ChallengeType[],
  ): Promise<X509Certificate> {
    const { session, kid } = account;
    const read = async (): Promise<OrderState> => readOrder(await session.post(stored.url, { kid }));
    let order = await read();
    if (order.status === 'pending') {
      await this.#authorize(account, order, challenges);
      order = await this.#poll(read, ({ status }) => status !== 'pending', 'the order');
    }
    if (order.status === 'ready') {
      const csr = certificateRequest(this.#config.domains, createPrivateKey(stored.key)).toString('base64url');
      order = readOrder(await session.post(order.finalize, { kid }, { csr }));
    }
    order = await this.#poll(read, ({ status }) => status === 'valid' || status === 'invalid', 'the order', order);
    if (order.status === 'invalid') {
      throw new AcmeError('refused', `the authority did not fulfil the order: ${order.error ?? 'it gave no reason'}`);
    }
    if (order.certificate === undefined) throw new AcmeError('protocol', 'the authority gave no certificate');
    const { body } = await session.postForBytes(order.certificate, { kid });
    return this.#store(stored.key, body.toString('latin1'));
  }

  /** Shows the authority that each name is ours. */
  async #authorize(account: Account, order: OrderState, kinds: readonly ChallengeType[]): Promise<void> {
    const { session, kid } = account;
    const open: { readonly url: string; readonly name: string; readonly challenge: ChallengeState }[] = [];
    for (const url of order.authorizations) {
      const state = readAuthorization(await session.post(url, { kid }));
      if (state.status === 'valid') continue;
      if (state.status !== 'pending') throw validationError(state);
      open.push({ url, name: state.name, challenge: chooseChallenge(state, kinds) });
    }
    try {
      await this.#resources.present(open.map(({ name, challenge }) => responseTo(challenge, name, account)));
      for (const { challenge } of open) {
        // One that is `processing` was begun before a restart.
        if (challenge.status === 'pending') await session.post(challenge.url, { kid }, {});
      }
      for (const { url, name } of open) {
        const read = async (): Promise<AuthorizationState> => readAuthorization(await session.post(url, { kid }));
        const state = await this.#poll(read, ({ status }) => status !== 'pending', `the authorization of ${name}`);
        if (state.status !== 'valid') throw validationError(state);
      }
    } finally {
      await this.#resources.present([]);
    }
  }

  async #poll<T extends { readonly retryAfterMs: number | undefined }>(
    read: () => Promise<T>,
    isDecided: (state: T) => boolean,
    what: string,
    known?: T,
  ): Promise<T> {
    const { clock, delay } = this.#resources;
    const deadline = clock() + decisionMs;
    let state = known ?? (await read());
    for (let pause = firstPollMs; !isDecided(state); pause = Math.min(pause * 1.5, slowestPollMs)) {
      const wait = Math.min(state.retryAfterMs ?? pause, longestPollMs);
      if (clock() + wait > deadline)
        throw new AcmeError('unreachable', `the authority did not decide on ${what} in time`);
      await delay(wait);
      state = await read();
    }
    return state;
  }

  #store(key: string, chain: string): X509Certificate {
    const { domains, directory } = this.#config;
    const leaf = readLeaf(chain);
    const fits = leaf?.checkPrivateKey(createPrivateKey(key)) === true;
    if (leaf === undefined || !fits || !domains.every((domain) => leaf.checkHost(domain) !== undefined)) {
      throw new AcmeError('protocol', 'what the authority gave is no certificate for what was ordered');
    }
    const { storage } = this.#resources;
    storage.saveCertificate(key + chain, { fingerprint: leaf.fingerprint256, directory });
    storage.forgetOrder();
    return leaf;
  }
}

function responseTo({ type, token }: ChallengeState, name: string, account: Account): ChallengeResponse {
  const keyAuthorization = `${token}.${account.thumbprint}`;
  if (type === 'http-01') return { type, token, keyAuthorization };
  return { type: 'tls-alpn-01', name, ...challengeCertificate(name, keyAuthorization, Date.now()) };
}

function readLeaf(chain: string): X509Certificate | undefined {
  try {
    return new X509Certificate(chain);
  } catch {
    return undefined;
  }
}
