import { codingQualities } from '../http/accept-encoding.ts';
import type { Coding } from './coding.ts';

/** What a client may be sent. */
export interface AcceptedCodings {
  /** The one to use; undefined for none. */
  readonly best: Coding | undefined;
  /** All that it accepts, the best one first. */
  readonly all: readonly Coding[];
}

/** Values of Accept-Encoding remembered. Browsers know a dozen; a client that makes them up must not fill the memory. */
const maxRemembered = 256;
const maxRememberedLength = 200;

const nothing: AcceptedCodings = { best: undefined, all: [] };

/** Chooses by Accept-Encoding (RFC 9110 section 12.5.3), remembering what it worked out. */
export class CodingChooser {
  private readonly order: readonly Coding[];
  private readonly names: readonly string[];
  private readonly remembered = new Map<string, AcceptedCodings>();
  /** What was asked for last: to see that text is the same costs less than to look it up. */
  private latestField: string | undefined = undefined;
  private latest: AcceptedCodings = nothing;

  /** @param order the one that is preferred among those a client wants as much stands first */
  constructor(order: readonly Coding[]) {
    this.order = order;
    this.names = [...order, 'identity'];
  }

  /** @param field undefined when the request has none: nothing is compressed then, because who can decode says so */
  choose(field: string | undefined): AcceptedCodings {
    if (field === this.latestField) return this.latest;
    if (field === undefined) return nothing;
    let accepted = this.remembered.get(field);
    if (accepted === undefined) {
      accepted = this.work(field);
      if (this.remembered.size >= maxRemembered) this.remembered.clear();
      if (field.length <= maxRememberedLength) this.remembered.set(field, accepted);
    }
    if (field.length <= maxRememberedLength) {
      this.latestField = field;
      this.latest = accepted;
    }
    return accepted;
  }

  private work(field: string): AcceptedCodings {
    const qualities = codingQualities(field, this.names);
    const identity = qualities.at(-1) ?? 0;
    const wanted = this.order
      .map((coding, index) => ({ coding, quality: qualities[index] ?? 0 }))
      .filter(({ quality }) => quality > 0)
      // Stable: among equals the order of the route stays.
      .toSorted((a, b) => b.quality - a.quality);
    const [first] = wanted;
    return {
      best: first === undefined || first.quality < identity ? undefined : first.coding,
      all: wanted.map(({ coding }) => coding),
    };
  }
}
