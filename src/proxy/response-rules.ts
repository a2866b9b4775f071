import type { Recorder } from '../metrics/recorder.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { AccelDirectives } from './accel-directives.ts';
import { ErrorInterception } from './error-interception.ts';
import type { ProxyHandlerConfig } from './proxy-config.ts';
import type { InterceptedResponse, ResponseInterceptor, Takeover } from './response-interceptor.ts';

/** What a route does with responses instead of passing them on: pages for errors first, then the directives. */
export class ResponseRules implements ResponseInterceptor {
  private readonly errors: ErrorInterception | undefined;
  private readonly directives: AccelDirectives;

  constructor(
    { interceptErrors, upstream }: Pick<ProxyHandlerConfig, 'interceptErrors' | 'upstream'>,
    directives: AccelDirectives,
    recorder: Recorder,
  ) {
    this.errors = interceptErrors === false ? undefined : new ErrorInterception(interceptErrors, upstream, recorder);
    this.directives = directives;
  }

  intercept(response: InterceptedResponse, context: RequestContext): Takeover | undefined {
    return this.errors?.intercept(response, context) ?? this.directives.intercept(response, context);
  }
}
