import type { UpstreamConfig } from '../config/config.ts';
import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { type DirectedFields, directedFields } from '../response/directed-fields.ts';
import type { PaceClock } from '../response/pace-clock.ts';
import { limitRate } from '../response/paced-exchange.ts';
import { type DirectiveName, directive, parseRate } from './directives.ts';
import type { InterceptedResponse, Takeover } from './response-interceptor.ts';

/** What answers when an application names something else than its own response. */
export interface DirectedActions {
  /** Serves what an internal route has at the target. */
  redirect(context: RequestContext, target: string, fields: DirectedFields): void;
  /** Serves a file by its absolute path; undefined where no folder is configured. */
  readonly sendfile: ((context: RequestContext, path: string, fields: DirectedFields) => void) | undefined;
}

/** Obeys the directives in the responses of an upstream, as far as the configuration trusts it. */
export class AccelDirectives {
  private readonly trusted: UpstreamConfig['directives'];
  private readonly actions: DirectedActions;
  private readonly clock: PaceClock;
  private readonly recorder: Recorder;
  private readonly upstream: string;
  private readonly counters = new Map<string, Counter>();

  constructor(
    { name, directives }: Pick<UpstreamConfig, 'name' | 'directives'>,
    actions: DirectedActions,
    clock: PaceClock,
    recorder: Recorder,
  ) {
    this.trusted = directives;
    this.actions = actions;
    this.clock = clock;
    this.recorder = recorder;
    this.upstream = name;
  }

  intercept(response: InterceptedResponse, context: RequestContext): Takeover | undefined {
    const { directives } = response;
    if (directives === undefined) return undefined;
    const rate = this.rate(directives);
    const takeover = this.takeover(directives, response, rate);
    if (takeover === undefined && rate !== undefined) {
      context.exchange = limitRate(context.exchange, rate, this.clock);
      response.sink = context.exchange;
    }
    return takeover;
  }

  private takeover(
    directives: readonly string[],
    { block }: InterceptedResponse,
    rate: number | undefined,
  ): Takeover | undefined {
    const { actions, trusted } = this;
    const redirect = this.obeyed(directives, 'x-accel-redirect', trusted.redirect);
    const file = this.obeyed(directives, 'x-sendfile', actions.sendfile !== undefined);
    if (redirect === undefined && file === undefined) return undefined;
    const fields = directedFields(block.view());
    return (context) => {
      if (rate !== undefined) context.exchange = limitRate(context.exchange, rate, this.clock);
      if (redirect !== undefined) actions.redirect(context, redirect, fields);
      else if (file !== undefined) actions.sendfile?.(context, file, fields);
    };
  }

  private rate(directives: readonly string[]): number | undefined {
    const value = this.obeyed(directives, 'x-accel-limit-rate', this.trusted.limitRate);
    return value === undefined ? undefined : parseRate(value);
  }

  /** The value of a directive that is to be obeyed. */
  private obeyed(directives: readonly string[], name: DirectiveName, trusted: boolean): string | undefined {
    const value = directive(directives, name);
    if (value === undefined) return undefined;
    this.count(name, trusted ? 'obeyed' : 'ignored');
    return trusted ? value : undefined;
  }

  private count(name: DirectiveName, result: 'obeyed' | 'ignored'): void {
    const key = `${name} ${result}`;
    let counter = this.counters.get(key);
    if (counter === undefined) {
      const labels = { upstream: this.upstream, directive: name, result };
      counter = this.recorder.counter(metricNames.upstreamDirectives, labels);
      this.counters.set(key, counter);
    }
    counter.add(1);
  }
}
