import { codingQualities } from '../http/accept-encoding.ts';

/** The codings that files may lie beside a file in, best first: the index is the same everywhere. */
export const siblingCodings = [
  { name: 'br', suffix: '.br' },
  { name: 'zstd', suffix: '.zst' },
  { name: 'gzip', suffix: '.gz' },
] as const;

/** Index of the file itself among its representations; the siblings stand before it. */
export const identityIndex = siblingCodings.length;

const names = [...siblingCodings.map((coding) => coding.name), 'identity'];
/** Values of Accept-Encoding remembered. Browsers know a dozen; a client that makes them up must not fill the memory. */
const maxRemembered = 256;
const maxRememberedLength = 200;

/** For each set of siblings (bit n: coding n is there) the index of the representation to send. */
export type CodingChoice = Uint8Array;

/** Chooses among a file and its compressed siblings by Accept-Encoding, remembering what it worked out. */
export class CodingChooser {
  private readonly remembered = new Map<string, CodingChoice>();
  private readonly absent = chooseCodings(undefined);
  private latestField = '';
  private latestChoice = chooseCodings('');

  choice(field: string | undefined): CodingChoice {
    if (field === undefined) return this.absent;
    if (field === this.latestField) return this.latestChoice;
    let choice = this.remembered.get(field);
    if (choice === undefined) {
      choice = chooseCodings(field);
      if (this.remembered.size >= maxRemembered) this.remembered.clear();
      if (field.length <= maxRememberedLength) this.remembered.set(field, choice);
    }
    this.latestField = field;
    this.latestChoice = choice;
    return choice;
  }
}

/** Where nothing is acceptable the file itself is sent, as RFC 9110 section 12.5.3 prefers to refusing. */
function chooseCodings(field: string | undefined): CodingChoice {
  const qualities = codingQualities(field, names);
  const choice = new Uint8Array(1 << siblingCodings.length);
  for (let available = 0; available < choice.length; available++) {
    let best: number = identityIndex;
    let bestQuality = qualities[identityIndex] ?? 0;
    // From the worst to the best, so that the best of equals wins; and before identity, which costs most to send.
    for (let index = siblingCodings.length - 1; index >= 0; index--) {
      const quality = qualities[index] ?? 0;
      if ((available & (1 << index)) === 0 || quality === 0 || quality < bestQuality) continue;
      best = index;
      bestQuality = quality;
    }
    choice[available] = best;
  }
  return choice;
}
