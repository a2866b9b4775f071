import { type LimitsConfig, LimitZones, type RouteLimitNames } from '../../src/limits/limit-zones.ts';
import type { RateLimitConfig } from '../../src/limits/rate-zone.ts';
import type { RouteLimits } from '../../src/limits/route-limits.ts';
import { identifyClient } from '../../src/request/client-identity.ts';
import type { RequestContext } from '../../src/request/request-context.ts';
import { TrustedProxies } from '../../src/request/trusted-proxies.ts';
import { FakeExchange, type FakeRequest } from './fake-exchange.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';

/** A zone of one request in 100 ms and two ahead, by address. */
export const usualRate: RateLimitConfig = {
  key: ['address'],
  shared: false,
  interval: 100,
  burst: 2,
  keys: 1024,
  status: 429,
  dryRun: false,
  fields: 'refused',
  exempt: [],
  exemptHeaders: {},
};

/** The limits of a worker without the rest of it. */
export class LimitBench {
  readonly recorder = new FakeRecorder();
  readonly logger = new RecordingLogger();
  readonly zones = new LimitZones(this.recorder, this.logger, (ranges) => new TrustedProxies(ranges));

  /** Brings a configuration into force. @returns what holds for a route with these zones */
  use(config: Partial<LimitsConfig>, names: Partial<RouteLimitNames>, now = 1000): RouteLimits {
    const secret = Buffer.alloc(16, 7).toString('base64url');
    const prepared = this.zones.prepare({
      rateLimits: {},
      concurrencyLimits: {},
      workers: 1,
      limitSecret: secret,
      ...config,
    });
    const limits = prepared.routeLimits({ rateLimit: [], concurrencyLimit: [], ...names });
    prepared.use(now);
    if (limits === undefined) throw new Error('no zone was named');
    return limits;
  }
}

/** The context of a request as it is behind the step `request`. */
export function limitedRequest(request: FakeRequest = {}): RequestContext {
  const exchange = new FakeExchange(request);
  const context = exchange.withContext('/');
  context.client = identifyClient(exchange, new TrustedProxies([]));
  return context;
}
