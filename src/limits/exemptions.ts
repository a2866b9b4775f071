import type { RequestContext } from '../request/request-context.ts';

/** Whom a limit does not hold for. */
export interface ExemptionConfig {
  /** Addresses and CIDR ranges. */
  readonly exempt: readonly string[];
  /** Values of fields that are as good, by name: secrets of own services. */
  readonly exemptHeaders: Readonly<Record<string, string>>;
}

/** Addresses, each looked up in a time that does not depend on their number. */
export interface AddressList {
  has(address: string): boolean;
}

/** @param ranges addresses and CIDR ranges */
export type AddressListFactory = (ranges: readonly string[]) => AddressList;

/** Clients that a limit does not hold for. */
export class Exemptions {
  /** Whether nobody is exempt. */
  readonly empty: boolean;
  readonly #addresses: AddressList | undefined;
  readonly #headers: readonly (readonly [name: string, value: string])[];

  constructor({ exempt, exemptHeaders }: ExemptionConfig, makeList: AddressListFactory) {
    this.#addresses = exempt.length === 0 ? undefined : makeList(exempt);
    this.#headers = Object.entries(exemptHeaders).map(([name, value]) => [name.toLowerCase(), value]);
    this.empty = exempt.length === 0 && this.#headers.length === 0;
  }

  has({ client, exchange }: RequestContext): boolean {
    if (client !== undefined && this.#addresses?.has(client.address)) return true;
    for (const [name, secret] of this.#headers) {
      const value = exchange.head.fields.get(name);
      if (value !== undefined && isSame(value, secret)) return true;
    }
    return false;
  }
}

/** In a time that says nothing about where they differ. */
function isSame(value: string, secret: string): boolean {
  let difference = value.length ^ secret.length;
  for (let index = 0; index < secret.length; index++) difference |= value.charCodeAt(index) ^ secret.charCodeAt(index);
  return difference === 0;
}
