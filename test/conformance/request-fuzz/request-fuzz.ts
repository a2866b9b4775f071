import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { createUwsEngine } from '../../../src/listener/uws-engine.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { SharedCapacity } from '../../support/shared-capacity.ts';
import { type FuzzedOutcome, isChunked, leniencyOf } from './engine-leniency.ts';
import { seen, wanted } from './forwarded-request.ts';
import { type Answers, converse, type Patience } from './fuzz-client.ts';
import { RecordingOrigin } from './recording-origin.ts';
import { type FuzzedConnection, fuzzedConnection } from './request-grammar.ts';
import { readStrictly, type StrictReading, type StrictRequest } from './strict-request.ts';

export type FuzzedEngine = 'uws' | 'node';

/** What a run has found. */
export interface FuzzReport {
  readonly connections: number;
  /** By what the strict parser says: `1 accepted`, `refused`, … */
  readonly verdicts: Readonly<Record<string, number>>;
  /** How often something known has explained a difference. */
  readonly explained: Readonly<Record<string, number>>;
  /** Differences that nothing explains, each with what makes it again. */
  readonly differences: readonly string[];
}

interface FuzzedCase {
  readonly one: FuzzedConnection;
  readonly reading: StrictReading;
}

const lanes = 24;
const batch = 500;
/** Long enough on a busy machine: only what stands still forever waits for it. */
const patientMs = 15_000;
/** For those that are known to be answered by nothing; what they get wrong is looked at once more with more patience. */
const briefMs = 40;
const secondLookMs = 1500;
const maxDifferences = 20;

/**
 * Sends fuzzed connections to an engine with the whole worker behind it, and compares what comes out with what a strict
 * parser reads.
 * @param seed of the generator
 */
export async function fuzzRequests(engine: FuzzedEngine, connections: number, seed: number): Promise<FuzzReport> {
  const origin = await RecordingOrigin.start();
  const worker = await startWorker(engine, origin.port);
  try {
    const fuzz = new RequestFuzz(engine, worker.port, origin);
    for (let done = 0; done < connections; done += batch) {
      const count = Math.min(batch, connections - done);
      const cases = fc.sample(fuzzedConnection, { numRuns: count, seed: seed + done });
      await fuzz.run(cases);
      if (fuzz.differences.length >= maxDifferences) break;
    }
    return fuzz.report();
  } finally {
    await worker.close();
    await origin.close();
  }
}

function startWorker(engine: FuzzedEngine, port: number): Promise<InProcessWorker> {
  const yaml = `
upstreams: { app: { servers: ["http://127.0.0.1:${port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`;
  const factory = engine === 'uws' ? createUwsEngine : createNodeEngine;
  return startInProcessWorker(yaml, undefined, new SharedCapacity(), undefined, factory);
}

class RequestFuzz {
  readonly differences: string[] = [];
  readonly #engine: FuzzedEngine;
  readonly #port: number;
  readonly #origin: RecordingOrigin;
  readonly #verdicts: Record<string, number> = {};
  readonly #explained: Record<string, number> = {};
  #connections = 0;
  #addresses = 0;

  constructor(engine: FuzzedEngine, port: number, origin: RecordingOrigin) {
    this.#engine = engine;
    this.#port = port;
    this.#origin = origin;
  }

  report(): FuzzReport {
    return {
      connections: this.#connections,
      verdicts: this.#verdicts,
      explained: this.#explained,
      differences: this.differences,
    };
  }

  async run(cases: readonly FuzzedConnection[]): Promise<void> {
    const first = cases.map((one) => ({ one, reading: readStrictly(one.text) }));
    this.#connections += first.length;
    for (const { reading } of first) count(this.#verdicts, `${reading.requests.length} accepted, then ${reading.rest}`);
    // Whoever was too slow in so short a time gets more of it.
    const doubtful = (await this.#look(first, briefMs)).map(({ one, reading }) => ({ one, reading }));
    for (const { difference, one, reading } of await this.#look(doubtful, secondLookMs)) {
      this.differences.push(`${difference}\n  sent: ${JSON.stringify(one)}\n  read: ${JSON.stringify(reading)}`);
    }
    for (const complaint of this.#origin.complaints.splice(0)) {
      this.differences.push(`the server behind got something that is not HTTP: ${complaint}`);
    }
  }

  /** Sends all of them, waits until nothing comes through any more, and judges. @returns those that are different */
  async #look(cases: readonly FuzzedCase[], quietMs: number): Promise<(FuzzedCase & { difference: string })[]> {
    if (cases.length === 0) return [];
    const settled: { one: FuzzedCase; address: string; answers: Answers }[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let one = cases[next++]; one !== undefined; one = cases[next++]) {
        const address = this.#nextAddress();
        const answers = await converse(this.#port, address, one.one, this.#patience(one.reading, quietMs));
        settled.push({ one, address, answers });
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    await setTimeout(quietMs);
    return settled.flatMap(({ one, address, answers }) => {
      const difference = this.#judge(one, address, answers);
      return difference === undefined ? [] : [{ ...one, difference }];
    });
  }

  /** @returns what is different; undefined when nothing is, or it is known */
  #judge({ one, reading }: FuzzedCase, address: string, answers: Answers): string | undefined {
    const localHost = `127.0.0.1:${this.#port}`;
    const outcome: FuzzedOutcome = {
      text: one.text,
      reading,
      seen: this.#origin.take(address).map(seen),
      wanted: (request) => wanted(request, address, localHost),
    };
    const difference = differenceOf(outcome, answers);
    if (difference === undefined || this.#engine === 'node') return difference;
    const known = leniencyOf(outcome);
    if (known === undefined) return difference;
    count(this.#explained, known);
    return undefined;
  }

  #patience({ requests, rest }: StrictReading, quietMs: number): Patience {
    const closes = rest === 'refused' || rest === 'not wanted' || requests.at(-1)?.close === true;
    const isNode = this.#engine === 'node';
    return {
      methods: requests.map(({ method }) => method),
      closes: closes && isNode,
      patientMs: isNode || quietMs === secondLookMs ? patientMs : quietMs * 10,
      quietMs: rest === 'nothing' ? 0 : quietMs,
    };
  }

  /** Each connection has an address of its own, by which the server behind knows whose request it is. */
  #nextAddress(): string {
    const number = ++this.#addresses;
    return `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  }
}

/** What came through that a strict parser does not read, or did not come. */
function differenceOf(outcome: FuzzedOutcome, { statuses, closed }: Answers): string | undefined {
  const { reading, seen: came, wanted: asSeen } = outcome;
  const requests = untilCut(reading.requests, statuses, closed);
  const wants = requests.filter(({ badPath }) => !badPath).map(asSeen);
  const said = `answers ${statuses.join(' ')}${closed ? ', closed' : ''}`;
  if (JSON.stringify(wants) !== JSON.stringify(came)) {
    return `the server behind should see\n  ${wants.join('\n  ')}\n and saw\n  ${came.join('\n  ')}\n ${said}`;
  }
  const good = requests.every(({ badPath }, index) => statuses[index] === (badPath ? 400 : 200));
  const further = statuses.slice(requests.length);
  if (!good || further.length > 1 || further.some((status) => status < 400)) return said;
  return reading.rest === 'nothing' && further.length > 0 ? `${said} to what is complete` : undefined;
}

/** A request that is refused for its path while its body is still coming ends its connection, for nobody reads the body. */
function untilCut(
  requests: readonly StrictRequest[],
  statuses: readonly number[],
  closed: boolean,
): readonly StrictRequest[] {
  const cut = requests.findIndex((request) => request.badPath && (request.body !== '' || isChunked(request)));
  return closed && cut >= 0 && statuses.length === cut + 1 ? requests.slice(0, cut + 1) : requests;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
