import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import { AddressTrie } from './address-trie.ts';
import type { Gate } from './gate.ts';
import type { Refusals } from './refusals.ts';

/** From where clients may come. */
export interface AddressRules {
  /** Addresses, CIDR ranges, or `unix` for clients on a Unix socket. When there are any, everybody else is denied. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

const allowed = 1;
const denied = 2;

/** Lets requests pass by the address of their client. */
export class AddressGate implements Gate {
  readonly #trie: AddressTrie;
  readonly #otherwise: number;
  readonly #unix: number;
  readonly #refusals: Refusals;

  constructor({ allow, deny }: AddressRules, refusals: Refusals) {
    const ranges = [
      ...allow.map((range): [string, number] => [range, allowed]),
      ...deny.map((range): [string, number] => [range, denied]),
    ];
    this.#trie = new AddressTrie(ranges.filter(([range]) => range !== 'unix'));
    this.#otherwise = allow.length > 0 ? denied : allowed;
    this.#unix = deny.includes('unix') ? denied : allow.includes('unix') ? allowed : this.#otherwise;
    this.#refusals = refusals;
  }

  ask({ client }: RequestContext): PorticoError | undefined {
    if (client !== undefined && this.#verdict(client.address) === allowed) return undefined;
    return this.#refusals.refuse(
      'address',
      new PorticoError('access_denied', 'the address of the client is not allowed'),
    );
  }

  /** What is no address is denied. */
  #verdict(address: string): number {
    if (address === '') return this.#unix;
    const found = this.#trie.find(address);
    return found === 0 ? this.#otherwise : (found ?? denied);
  }
}
