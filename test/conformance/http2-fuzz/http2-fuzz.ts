import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { ErrorCode } from '../../../src/http2/frame.ts';
import type { Engine, EngineFactory } from '../../../src/listener/engine.ts';
import { createNodeEngine } from '../../../src/listener/node-engine.ts';
import { tlsEngine } from '../../support/http2-server.ts';
import { type InProcessWorker, startInProcessWorker } from '../../support/in-process-worker.ts';
import { RawHttp2Client } from '../../support/raw-http2-client.ts';
import { SharedCapacity } from '../../support/shared-capacity.ts';
import { TestCertificates } from '../../support/test-certificates.ts';
import { waitFor } from '../../support/wait-for.ts';
import { seen, wanted } from '../request-fuzz/forwarded-request.ts';
import { RecordingOrigin } from '../request-fuzz/recording-origin.ts';
import { type FuzzedHttp2, fuzzedHttp2 } from './connection-grammar.ts';
import { converse, type Http2Answers } from './fuzz-connection.ts';
import { type ReferenceReading, type ReferenceStream, readHttp2 } from './reference-reader.ts';

/** What a run has found. */
export interface Http2FuzzReport {
  readonly connections: number;
  readonly frames: number;
  /** Requests of somebody else that were answered meanwhile. */
  readonly others: number;
  /** By what the reference says. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Each with what makes it again. */
  readonly differences: readonly string[];
}

const lanes = 16;
const batch = 250;
const quietMs = 30;
const maxDifferences = 10;

/**
 * Sends fuzzed connections of HTTP/2 to the node engine with the whole worker behind it, and compares what comes out with
 * what a reference reads. Beside them somebody else asks all the time.
 * @param seed of the generator
 */
export async function fuzzHttp2(connections: number, seed: number): Promise<Http2FuzzReport> {
  const certificates = new TestCertificates();
  const origin = await RecordingOrigin.start();
  const engines: Engine[] = [];
  const factory: EngineFactory = (handler, timeouts) => {
    const engine = tlsEngine(certificates, true, createNodeEngine)(handler, timeouts);
    engines.push(engine);
    return engine;
  };
  const yaml = `
upstreams: { app: { servers: ["http://127.0.0.1:${origin.port}"] } }
sites: [{ routes: [{ path: /, proxy: { upstream: app } }] }]
`;
  const worker = await startInProcessWorker(yaml, undefined, new SharedCapacity(), undefined, factory);
  try {
    const fuzz = new Http2Fuzz(worker, engines[0] as Engine, origin);
    for (let done = 0; done < connections && fuzz.differences.length < maxDifferences; done += batch) {
      const count = Math.min(batch, connections - done);
      await fuzz.run(fc.sample(fuzzedHttp2, { numRuns: count, seed: seed + done }));
    }
    return fuzz.report();
  } finally {
    await worker.close();
    await origin.close();
    certificates.remove();
  }
}

class Http2Fuzz {
  readonly differences: string[] = [];
  readonly #worker: InProcessWorker;
  readonly #engine: Engine;
  readonly #origin: RecordingOrigin;
  readonly #verdicts: Record<string, number> = {};
  #connections = 0;
  #frames = 0;
  #others = 0;

  constructor(worker: InProcessWorker, engine: Engine, origin: RecordingOrigin) {
    this.#worker = worker;
    this.#engine = engine;
    this.#origin = origin;
  }

  report(): Http2FuzzReport {
    const { differences } = this;
    return {
      connections: this.#connections,
      frames: this.#frames,
      others: this.#others,
      verdicts: this.#verdicts,
      differences,
    };
  }

  /** Sends all of them, waits until nothing of them is left, and judges. */
  async run(cases: readonly FuzzedHttp2[]): Promise<void> {
    const settled: { one: FuzzedHttp2; reading: ReferenceReading; address: string; answers: Http2Answers }[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let one = cases[next++]; one !== undefined; one = cases[next++]) {
        const address = addressOf(++this.#connections);
        const reading = readHttp2(one.bytes);
        this.#frames += one.frames;
        try {
          settled.push({ one, reading, address, answers: await converse(this.#worker.port, address, one, reading) });
        } catch (error) {
          this.#differ(error instanceof Error ? error.message : String(error), one, reading);
        }
      }
    };
    const othersEnd = new AbortController();
    const others = this.#askMeanwhile(othersEnd.signal);
    await Promise.all(Array.from({ length: lanes }, lane));
    othersEnd.abort();
    await others;
    await waitFor(() => this.#engine.inFlight === 0 && this.#engine.connections === 0, 'everything to be released');
    await setTimeout(quietMs);
    for (const { one, reading, address, answers } of settled) {
      const came = this.#origin.take(address).map(seen);
      const difference = differenceOf(reading, answers, came, address);
      if (difference !== undefined) this.#differ(difference, one, reading);
      count(this.#verdicts, verdictOf(reading));
      if (answers.goaway === ErrorCode.enhanceYourCalm) count(this.#verdicts, 'ended as a flood');
    }
    this.#lookAround();
  }

  /** What must not be, whatever came. */
  #lookAround(): void {
    for (const complaint of this.#origin.complaints.splice(0)) {
      this.differences.push(`the server behind got something that is not HTTP: ${complaint}`);
    }
    const log = (this.#worker.log as string[]).splice(0);
    const bad = log.filter((line) => /"level":"error"|has thrown|internal/.test(line));
    this.differences.push(...bad.map((line) => `the log says ${line}`));
  }

  async #askMeanwhile(end: AbortSignal): Promise<void> {
    const client = await RawHttp2Client.connect(this.#worker.port, true, '127.0.0.2');
    try {
      for (let stream = 1; !end.aborted; stream += 2) {
        client.get(stream, '/others');
        const { status } = await client.response(stream);
        if (status !== 200) this.differences.push(`somebody else was answered with ${status}`);
        client.frames.splice(0);
        this.#others += 1;
        await setTimeout(5);
      }
    } finally {
      client.destroy();
      this.#origin.take('127.0.0.2');
    }
  }

  #differ(what: string, one: FuzzedHttp2, reading: ReferenceReading): void {
    const { streams, ...rest } = reading;
    const read = [...streams].map(([id, { state, head }]) => [id, state, head?.method, head?.target]);
    const sent = `${one.bytes.toString('base64')} cut at ${JSON.stringify(one.cuts)}`;
    this.differences.push(`${what}\n  read: ${JSON.stringify(rest)} ${JSON.stringify(read)}\n  sent: ${sent}`);
  }
}

/** What came through that the reference does not read, or did not come, or was not answered. */
function differenceOf(
  { streams, fault, mayEnd, goodbye, incomplete }: ReferenceReading,
  { statuses, resets, goaway, closed, pong }: Http2Answers,
  came: readonly string[],
  address: string,
): string | undefined {
  const shown = (stream: ReferenceStream): string =>
    stream.request === undefined ? '' : wanted(stream.request, address, '');
  const left = [...came];
  const said = `saw ${came.join(' ')}; answers ${JSON.stringify([...statuses])}, resets ${[...resets].join(' ')}, goaway ${goaway}, closed ${closed}, pong ${pong}`;
  const failed = fault !== undefined || (mayEnd && closed) || goaway === ErrorCode.enhanceYourCalm;
  for (const [id, stream] of streams) {
    const at = left.indexOf(shown(stream));
    if (at >= 0) left.splice(at, 1);
    const status = statuses.get(id);
    if (failed) continue;
    const mustCome = stream.state === 'whole' && stream.request?.badPath === false;
    if (mustCome && (at < 0 || status !== 200))
      return `the request on stream ${id} came ${at < 0 ? 'not' : ''}; ${said}`;
    const mustNot = stream.state === 'refused' || stream.request?.badPath === true;
    if (mustNot && !(status !== undefined ? status >= 400 : resets.has(id) || stream.state === 'doubtful'))
      return `stream ${id} was not refused; ${said}`;
  }
  if (left.length > 0) return `the server behind saw ${left.join('\n  ')}\n ${said}`;
  if (fault !== undefined) return (goaway ?? 0) === 0 && !goodbye ? `${fault}, and ${said}` : undefined;
  if (failed || goodbye) return undefined;
  return closed || (!incomplete && !pong) ? `the connection has ended: ${said}` : undefined;
}

function verdictOf({ streams, fault, incomplete }: ReferenceReading): string {
  const states = [...streams.values()].map(({ state }) => state);
  const whole = states.filter((state) => state === 'whole').length;
  const end = fault !== undefined ? 'a fault' : incomplete ? 'incomplete' : 'nothing';
  return `${whole === states.length ? 'only whole requests' : whole > 0 ? 'also whole requests' : 'no whole request'}, then ${end}`;
}

/** Each connection has an address of its own, by which the server behind knows whose request it is. */
function addressOf(number: number): string {
  return `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
