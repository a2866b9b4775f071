import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { PorticoError } from '../response/portico-error.ts';

/** Why a request did not come through; the label `reason` of `portico_access_refused_total`. */
export type RefusalReason =
  | 'address'
  | 'credentials_missing'
  | 'credentials_wrong'
  | 'attempts'
  | 'busy'
  | 'forward'
  | 'forward_failed'
  | 'token_missing'
  | 'token_invalid'
  | 'keys_missing';

/** Counts what the gates of a route refuse. */
export class Refusals {
  readonly #recorder: Recorder;
  readonly #labels: { readonly site: string; readonly route: string };

  constructor(recorder: Recorder, site: string, route: string) {
    this.#recorder = recorder;
    this.#labels = { site, route };
  }

  /** @returns the error, counted */
  refuse(reason: RefusalReason, error: PorticoError): PorticoError {
    this.count(reason);
    return error;
  }

  count(reason: RefusalReason): void {
    this.#recorder.counter(metricNames.accessRefused, { ...this.#labels, reason }).add(1);
  }
}
