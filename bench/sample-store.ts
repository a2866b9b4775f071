import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Noise } from './noise.ts';
import { median } from './statistics.ts';

/** What one measurement of one server found, by name; see Measurement, Tail, Endurance and Footprint. */
export type Sample = Readonly<Record<string, number>>;

/** What all samples of a run have in common: those of another run must not be mixed in. */
export interface RunFacts {
  readonly host: string;
  readonly commit: string | undefined;
  /** By the name of the server. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why servers are missing, by name. */
  readonly absent: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  readonly long: boolean;
}

interface Content {
  facts: RunFacts;
  date: string;
  noise: Noise[];
  samples: Record<string, Record<string, Sample[]>>;
  problems: Record<string, Record<string, string>>;
}

/** Raw samples by row and server, on disk after each of them, so that an interrupted run can be gone on with. */
export class SampleStore {
  private readonly content: Content;
  private readonly file: string | undefined;

  /** @param file undefined: nothing is written */
  constructor(facts: RunFacts, file: string | undefined, content?: Content) {
    this.file = file;
    this.content = content ?? {
      facts,
      date: new Date().toISOString().slice(0, 10),
      noise: [],
      samples: {},
      problems: {},
    };
    // What went wrong may go well now.
    this.content.problems = {};
  }

  /** Goes on with a file. @throws Error when it is of another run, or no such file */
  static resume(facts: RunFacts, file: string): SampleStore {
    let content: Content;
    try {
      content = JSON.parse(readFileSync(file, 'utf8')) as Content;
    } catch {
      throw new Error(`there is no interrupted run in ${file}`);
    }
    // As it was written: without what is undefined.
    if (!isDeepStrictEqual(content.facts, JSON.parse(JSON.stringify(facts)))) {
      throw new Error(`the interrupted run in ${file} had other servers, another commit or other options`);
    }
    return new SampleStore(facts, file, content);
  }

  get facts(): RunFacts {
    return this.content.facts;
  }

  get date(): string {
    return this.content.date;
  }

  /** One for each time that the run was started or gone on with. */
  get noise(): readonly Noise[] {
    return this.content.noise;
  }

  add(row: string, server: string, sample: Sample): void {
    const ofRow = (this.content.samples[row] ??= {});
    (ofRow[server] ??= []).push(sample);
    this.save();
  }

  /** Notes why there is no sample. */
  fail(row: string, server: string, problem: string): void {
    (this.content.problems[row] ??= {})[server] = problem;
    this.save();
  }

  addNoise(noise: Noise): void {
    this.content.noise.push(noise);
    this.save();
  }

  count(row: string, server: string): number {
    return this.samples(row, server).length;
  }

  samples(row: string, server: string): readonly Sample[] {
    return this.content.samples[row]?.[server] ?? [];
  }

  /** One figure of all rounds. */
  values(row: string, server: string, figure: string): number[] {
    return this.samples(row, server).flatMap((sample) => sample[figure] ?? []);
  }

  /** The middle of it; NaN when there is none. */
  median(row: string, server: string, figure: string): number {
    return median(this.values(row, server, figure));
  }

  /** Each problem as one sentence. */
  problems(): string[] {
    return Object.entries(this.content.problems).flatMap(([row, servers]) =>
      Object.entries(servers).map(([server, problem]) => `${row}, ${server}: ${problem}`),
    );
  }

  problem(row: string, server: string): string | undefined {
    return this.content.problems[row]?.[server];
  }

  private save(): void {
    if (this.file === undefined) return;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, JSON.stringify(this.content));
    renameSync(`${this.file}.new`, this.file);
  }
}
