import { readStrictly, type StrictReading, type StrictRequest } from './strict-request.ts';

/* What uWebSockets.js is known to do otherwise than a strict parser (docs/engines.md, docs/operations.md), each as narrow as can be told. */

/** What came through of a fuzzed connection. */
export interface FuzzedOutcome {
  readonly text: string;
  readonly reading: StrictReading;
  /** What the server behind has seen, as `seen` tells it. */
  readonly seen: readonly string[];
  /** How a request would be seen there. */
  readonly wanted: (request: StrictRequest) => string;
}

type Leniency = (outcome: FuzzedOutcome) => boolean;

/** The name of what explains an outcome; undefined when nothing does. */
export function leniencyOf(outcome: FuzzedOutcome): string | undefined {
  const found = Object.entries(leniencies).find(([, explains]) => explains(outcome));
  if (found !== undefined) return found[0];
  // Two at once: the bytes are cut off, and something else besides.
  for (const text of withoutHighBytes(outcome.text)) {
    const both = { ...outcome, text, reading: readStrictly(text) };
    const other = Object.entries(leniencies).find(([, explains]) => explains(both));
    if (other !== undefined) return `bytes beyond ASCII, and ${other[0]}`;
  }
  return undefined;
}

const leniencies: Readonly<Record<string, Leniency>> = {
  'HTTP/1.0, an absolute target or an empty line in front is refused': ({ reading, text, seen }) => {
    const [first] = [...reading.requests, reading.begun];
    const line = text.split('\r\n', 1)[0] ?? '';
    return (
      first !== undefined && seen.length === 0 && (first.minorVersion === 0 || line === '' || !/^[^ ]+ \//.test(line))
    );
  },
  'chunks that are not of the plainest form are misread, and nothing behind them is served': ({
    reading,
    text,
    seen,
    wanted,
  }) => {
    const requests = [...reading.requests, ...(reading.begun === undefined ? [] : [reading.begun])];
    const chunked = requests.findIndex(isChunked);
    if (chunked < 0 || (chunked === 0 && isPlainlyChunked(text))) return false;
    const served = requests.slice(0, chunked + 1).filter(({ badPath }) => !badPath);
    return (
      seen.length <= served.length &&
      seen.every((one, index) => withoutBody(one) === withoutBody(wanted(served[index] as StrictRequest)))
    );
  },
  'a request sent ahead of an answer ends the connection': (outcome) => {
    const { requests, rest } = outcome.reading;
    return (requests.length > 1 || (requests.length === 1 && rest !== 'nothing')) && isBeginning(outcome, requests);
  },
  'a request in the same read as one with Connection: close is served': (outcome) =>
    outcome.reading.rest === 'not wanted' && isBeginning(outcome, readStrictly(outcome.text, false).requests),
  'bytes beyond ASCII are cut off from the ends of values': ({ text, seen, wanted }) =>
    withoutHighBytes(text).some((cut) => {
      const served = readStrictly(cut).requests.filter(({ badPath }) => !badPath);
      return JSON.stringify(served.map(wanted)) === JSON.stringify(seen);
    }),
  'two fields of one name with bytes beyond ASCII are refused': ({ reading, seen }) => {
    const fields = reading.requests[0]?.fields ?? reading.begun?.fields ?? [];
    // oxlint-disable-next-line no-control-regex
    const beyond = fields.filter(([, value]) => /[^\x00-\x7f]/.test(value)).map(([name]) => name);
    return (
      seen.length === 0 &&
      fields.some(([name], index) => beyond.includes(name) && fields.findIndex(([other]) => other === name) !== index)
    );
  },
  'an empty field name hides the fields behind it': ({ text, seen, wanted }) => {
    const head = text.slice(0, text.indexOf('\r\n\r\n') + 2);
    const hidden = head.indexOf('\r\n:');
    if (hidden < 0) return false;
    const shorter = readStrictly(`${head.slice(0, hidden)}\r\n\r\n`);
    const first = shorter.requests[0] ?? shorter.begun;
    return (
      seen.length === 0 ||
      (first !== undefined && seen.length === 1 && withoutBody(seen[0]) === withoutBody(wanted(first)))
    );
  },
};

/** Whether what was seen is the first of those requests, as many as there are. */
function isBeginning({ seen, wanted }: FuzzedOutcome, requests: readonly StrictRequest[]): boolean {
  const served = requests.filter(({ badPath }) => !badPath).slice(0, seen.length);
  return JSON.stringify(served.map(wanted)) === JSON.stringify(seen);
}

export function isChunked({ fields }: StrictRequest): boolean {
  return fields.some(([name]) => name === 'transfer-encoding');
}

/** Sizes and data and nothing else, in what follows the first head to the last chunk. */
function isPlainlyChunked(text: string): boolean {
  let rest = text.slice(text.indexOf('\r\n\r\n') + 4);
  for (;;) {
    const size = /^([0-9A-Fa-f]{1,13})\r\n/.exec(rest);
    if (size === null) return false;
    const length = Number.parseInt(size[1] as string, 16);
    rest = rest.slice(size[0].length + length);
    if (!rest.startsWith('\r\n')) return false;
    rest = rest.slice(2);
    if (length === 0) return true;
  }
}

/** As if every value in the first head, or in all of them, were trimmed by bytes beyond ASCII, too. None where there are no such bytes. */
function withoutHighBytes(text: string): string[] {
  const end = text.indexOf('\r\n\r\n');
  const first = end < 0 ? text : trimmed(text.slice(0, end), beyond) + text.slice(end);
  const plain = end < 0 ? text : trimmed(text.slice(0, end), blanks) + text.slice(end);
  return [
    first === plain ? [] : [first],
    trimmed(text, beyond) === trimmed(text, blanks) ? [] : [trimmed(text, beyond)],
  ].flat();
}

const beyond = /(\r\n[^:\r\n]+:)[ \t\x80-\xff]*([^\r\n]*?)[ \t\x80-\xff]*(?=\r\n|$)/g;
const blanks = /(\r\n[^:\r\n]+:)[ \t]*([^\r\n]*?)[ \t]*(?=\r\n|$)/g;

function trimmed(text: string, ends: RegExp): string {
  return text.replaceAll(ends, '$1 $2');
}

function withoutBody(shown: string | undefined): string {
  const parts: unknown[] = JSON.parse(shown ?? '[]') as unknown[];
  return JSON.stringify(parts.toSpliced(4, 1));
}
