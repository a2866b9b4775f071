import { z } from 'zod';

interface KeyFacts {
  /** What may stand here, as it follows "allowed:". Derived from the schema where it is not given. */
  readonly allowed?: string;
  /** `start`: a reload leaves it as it was; a change needs a restart. */
  readonly appliesAt?: 'start';
}

/** What the schema itself cannot say about a key; messages and docs/configuration.md read it. */
export const keyFacts = z.registry<KeyFacts>();
