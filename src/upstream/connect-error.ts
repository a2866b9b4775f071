import { PorticoError } from '../response/portico-error.ts';
import { HandshakeError } from './handshake-error.ts';

/** What a request has failed of for which no connection opened. @param error what the last address gave */
export function connectError(error: Error): PorticoError {
  const distrusted = error instanceof HandshakeError && error.distrusted;
  return new PorticoError(distrusted ? 'upstream_certificate' : 'upstream_unreachable', error.message, {
    cause: error,
  });
}
