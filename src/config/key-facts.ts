import { z } from 'zod';

interface KeyFacts {
  /** What may stand here, as it follows "allowed:". Derived from the schema where it is not given. */
  readonly allowed?: string;
  /**
   * `replacement`: read when a worker starts; a reload that changes it replaces the workers one after the other. `restart`: a reload
   * that changes it is refused.
   */
  readonly appliesAt?: 'replacement' | 'restart';
}

/** What the schema itself cannot say about a key; messages and docs/configuration.md read it. */
export const keyFacts = z.registry<KeyFacts>();
