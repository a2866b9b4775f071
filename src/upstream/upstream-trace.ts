import type { UpstreamTrace } from '../request/request-context.ts';

/** The trace of a request that goes to an upstream: no server has been asked yet. */
export function newUpstreamTrace(upstream: string): UpstreamTrace {
  return {
    upstream,
    server: '',
    tries: 0,
    status: 0,
    connectMs: undefined,
    headMs: undefined,
    totalMs: undefined,
  };
}
