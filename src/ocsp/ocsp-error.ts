/**
 * Why there is no response to staple. `unreachable`: none came; `refused`: the responder does not want to answer; `invalid`:
 * what came is no response, or proves nothing; `stale`: it is out of date; `revoked`, `unknown`: what it says of the certificate.
 */
export type OcspFailure = 'unreachable' | 'refused' | 'invalid' | 'stale' | 'revoked' | 'unknown';

export class OcspError extends Error {
  readonly failure: OcspFailure;

  constructor(failure: OcspFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OcspError';
    this.failure = failure;
  }
}
