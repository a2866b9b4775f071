import type { RequestContext } from '../request/request-context.ts';
import { TrustedProxies } from '../request/trusted-proxies.ts';

/** Whom a limit does not hold for. */
export interface ExemptionConfig {
  /** Addresses and CIDR ranges. */
  readonly exempt: readonly string[];
  /** Values of fields that are as good, by name: secrets of own services. */
  readonly exemptHeaders: Readonly<Record<string, string>>;
}

/** Clients that a limit does not hold for. Only requests that a limit would refuse are looked at. */
export class Exemptions {
  readonly #addresses: TrustedProxies;
  readonly #headers: readonly (readonly [name: string, value: string])[];

  constructor({ exempt, exemptHeaders }: ExemptionConfig) {
    this.#addresses = new TrustedProxies(exempt);
    this.#headers = Object.entries(exemptHeaders).map(([name, value]) => [name.toLowerCase(), value]);
  }

  has({ client, exchange }: RequestContext): boolean {
    if (!this.#addresses.empty && client !== undefined && this.#addresses.has(client.address)) return true;
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
