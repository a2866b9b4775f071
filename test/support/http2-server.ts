import type { EngineFactory, EngineTimeouts } from '../../src/listener/engine.ts';
import type { Exchange } from '../../src/listener/exchange.ts';
import { createNodeEngine } from '../../src/listener/node-engine.ts';
import { type TlsConfig, TlsTerminator } from '../../src/tls/tls-terminator.ts';
import { type ContractServer, contractServer } from './contract-server.ts';
import type { TestCertificates } from './test-certificates.ts';

/** An engine, the one on node sockets when left out, that speaks TLS on every address that it is told to listen on. */
export function tlsEngine(
  certificates: TestCertificates,
  http2 = true,
  createEngine: EngineFactory = createNodeEngine,
): EngineFactory {
  const site = certificates.make('tls-engine', ['localhost', 'example.com']);
  const config: TlsConfig = {
    certificates: [site],
    unknownNames: 'default',
    minVersion: '1.2',
    handshakeTimeout: 10_000,
    ocsp: 'auto',
    http2,
  };
  return (handler, timeouts) => {
    const engine = createEngine(handler, timeouts);
    const listen = engine.listen.bind(engine);
    engine.listen = (address) => listen({ ...address, tls: config }, new TlsTerminator(config));
    const unlisten = engine.unlisten.bind(engine);
    engine.unlisten = (address) => unlisten({ ...address, tls: config });
    return engine;
  };
}

/** A server of the contract that speaks HTTP/2. */
export function http2Server(
  certificates: TestCertificates,
  handle: (exchange: Exchange) => void,
  options: Partial<EngineTimeouts> = {},
): Promise<ContractServer> {
  return contractServer(tlsEngine(certificates), handle, options);
}
