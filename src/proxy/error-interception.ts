import { metricNames } from '../metrics/names.ts';
import type { Counter, Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import { interceptingPage, respondPage } from '../response/error-response.ts';
import { linesNamed } from '../response/field-lines.ts';
import type { ProxyHandlerConfig } from './proxy-config.ts';
import type { InterceptedResponse, Takeover } from './response-interceptor.ts';

/** Fields that belong to the status or to the session, and stay: the page says nothing about either. */
const keptNames = ['www-authenticate', 'allow', 'retry-after', 'set-cookie'];

/** Sends the site's own pages in the place of error responses of the application. */
export class ErrorInterception {
  /** Undefined for every status of an error. */
  private readonly statuses: ReadonlySet<number | string> | undefined;

  private readonly replaced: Counter;

  constructor(
    intercepted: Exclude<ProxyHandlerConfig['interceptErrors'], false>,
    upstream: string,
    recorder: Recorder,
  ) {
    this.replaced = recorder.counter(metricNames.upstreamErrorsIntercepted, { upstream });
    this.statuses = intercepted === true ? undefined : new Set(intercepted);
  }

  intercept({ status, block }: InterceptedResponse, context: RequestContext): Takeover | undefined {
    if (status < 400 || !this.isIntercepted(status)) return undefined;
    const page = interceptingPage(context, status);
    if (page === undefined) return undefined;
    this.replaced.add(1);
    const kept = linesNamed(block.view(), keptNames);
    return (request) => respondPage(request, status, page, kept);
  }

  private isIntercepted(status: number): boolean {
    const { statuses } = this;
    return statuses === undefined || statuses.has(status) || statuses.has(status < 500 ? '4xx' : '5xx');
  }
}
