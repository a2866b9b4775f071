import type { AcmeFailure } from '../acme/acme-error.ts';
import { metricNames } from '../metrics/names.ts';
import type { Recorder } from '../metrics/recorder.ts';

/** What is counted of certificates from authorities, by the first of their names. */
export class AcmeMetrics {
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  ordered(certificate: string, result: 'issued' | AcmeFailure): void {
    this.#recorder.counter(metricNames.acmeOrders, { certificate, result }).add(1);
  }

  /** @param failures in a row; undefined: it is not kept up to date any more */
  failing(certificate: string, failures: number | undefined): void {
    this.#recorder.gauge(metricNames.acmeFailing, { certificate }).set(failures ?? Number.NaN);
  }

  /** @param time milliseconds since 1970; undefined: it is not kept up to date any more */
  next(certificate: string, time: number | undefined): void {
    this.#recorder.gauge(metricNames.acmeNextOrder, { certificate }).set(time === undefined ? Number.NaN : time / 1000);
  }
}
