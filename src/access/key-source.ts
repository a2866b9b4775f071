import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Logger } from '../log/logger.ts';
import { Authorizer } from './authorizer.ts';
import { parseKeySet, type VerificationKey } from './key-set.ts';

/** Where keys come from, and how old they may be, milliseconds. */
export interface KeySourceConfig {
  readonly keys: { readonly url: string } | { readonly file: string };
  readonly keysMaxAge: number;
}

const fetchTimeoutMs = 5000;
/** Shortest pause between two fetches, whatever tokens say: who makes up key ids is not to make us fetch. */
const pauseMs = 10_000;
/** Files are near: a change counts after a second. */
const fileMaxAgeMs = 1000;

/** The keys of an issuer, fetched anew when they are old or when a token names one that is not among them. */
export class KeySource {
  keys: readonly VerificationKey[] = [];
  /** Another one whenever the keys are others. */
  generation = 0;
  readonly #name: string;
  readonly #read: () => Promise<string>;
  readonly #maxAgeMs: number;
  readonly #pauseMs: number;
  readonly #logger: Logger;
  #text: string | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor({ keys, keysMaxAge }: KeySourceConfig, logger: Logger) {
    this.#logger = logger;
    const isFile = 'file' in keys;
    this.#name = isFile ? keys.file : keys.url;
    this.#read = isFile ? () => readFile(keys.file, 'utf8') : fetcher(keys.url);
    this.#maxAgeMs = isFile ? fileMaxAgeMs : keysMaxAge;
    this.#pauseMs = isFile ? fileMaxAgeMs : pauseMs;
  }

  /** Whether keys were ever read. */
  get ready(): boolean {
    return this.#text !== undefined;
  }

  get stale(): boolean {
    const age = performance.now() - this.#triedAt;
    return this.#refreshing !== undefined ? !this.ready : age >= (this.ready ? this.#maxAgeMs : this.#pauseMs);
  }

  /** Whether there may be another key by now. */
  get mayAskAgain(): boolean {
    return this.#refreshing !== undefined || performance.now() - this.#triedAt >= this.#pauseMs;
  }

  /** Fetches the keys; while that fails those from before stay. Never rejects. */
  refresh(): Promise<void> {
    return (this.#refreshing ??= this.#load().finally(() => {
      this.#triedAt = performance.now();
      this.#refreshing = undefined;
    }));
  }

  async #load(): Promise<void> {
    try {
      const text = await this.#read();
      if (text === this.#text) return;
      const keys = parseKeySet(text);
      if (keys.length === 0) throw new Error('there is no usable key in it');
      this.keys = keys;
      this.#text = text;
      this.generation++;
      this.#logger.info('keys for tokens are in force', { source: this.#name, keys: keys.length });
    } catch (error) {
      const stays = this.ready ? 'the former ones stay in force' : 'no token can be verified';
      this.#logger.error(`keys for tokens cannot be read: ${stays}`, { source: this.#name, error });
    }
  }
}

function fetcher(url: string): () => Promise<string> {
  const connection = new Authorizer(url, fetchTimeoutMs);
  return () =>
    new Promise((resolve, reject) => {
      connection.ask({ Accept: 'application/json' }, (answer) => {
        if (answer instanceof Error) reject(answer);
        else if (answer.status === 200) resolve(answer.body.toString('utf8'));
        else reject(new Error(`status ${answer.status}`));
      });
    });
}
