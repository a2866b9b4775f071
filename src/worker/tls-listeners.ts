import type { ListenAddress } from '../config/config.ts';
import { listenerIdentity } from '../listener/listener-identity.ts';
import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { CertificateWatch } from '../tls/certificate-watch.ts';
import { HandshakeMetrics } from '../tls/handshake-metrics.ts';
import type { AuthorityFacts } from '../tls/tls-acceptor.ts';
import type { TlsConfig } from '../tls/tls-config.ts';
import { TlsTerminator } from '../tls/tls-terminator.ts';

interface Watched {
  readonly terminator: TlsTerminator;
  readonly watch: CertificateWatch;
}

/** The certificates of every listener that speaks HTTPS, over reloads. */
export class TlsListeners {
  readonly #logger: Logger;
  readonly #facts: AuthorityFacts;
  readonly #metrics: HandshakeMetrics;
  readonly #watched = new Map<string, Watched>();
  readonly #prepared = new Map<string, TlsTerminator>();
  #ticketKey: Buffer | undefined;

  /** @param facts what authorities of certificates ask for and say */
  constructor(logger: Logger, recorder: Recorder, facts: AuthorityFacts = {}) {
    this.#logger = logger;
    this.#facts = facts;
    this.#metrics = new HandshakeMetrics(recorder);
  }

  /**
   * Reads the certificates of all listeners.
   * @returns what puts them in force, and forgets listeners that are gone
   * @throws CertificateError; nothing has changed then
   */
  prepare(listeners: readonly ListenAddress[]): () => void {
    this.#prepared.clear();
    const commits: (() => void)[] = [];
    for (const listener of listeners) {
      if (listener.tls === undefined) continue;
      const identity = listenerIdentity(listener);
      const terminator = this.#watched.get(identity)?.terminator;
      if (terminator === undefined) this.#prepared.set(identity, this.#terminatorFor(listener.tls));
      else commits.push(terminator.prepare(listener.tls));
      commits.push(() => this.#watchAnew(identity));
    }
    const wanted = new Set(listeners.map(listenerIdentity));
    return () => {
      for (const commit of commits) commit();
      for (const [identity, { watch }] of this.#watched) {
        if (wanted.has(identity)) continue;
        watch.close();
        this.#watched.delete(identity);
      }
    };
  }

  /** What ends TLS for a listener that was prepared; undefined for one without TLS. */
  terminatorOf(listener: ListenAddress): TlsTerminator | undefined {
    const identity = listenerIdentity(listener);
    return this.#watched.get(identity)?.terminator ?? this.#prepared.get(identity);
  }

  /** Takes the key for session tickets that all workers have. */
  setTicketKey(key: Buffer): void {
    this.#ticketKey = key;
    for (const { terminator } of this.#watched.values()) terminator.setTicketKey(key);
  }

  close(): void {
    for (const { watch } of this.#watched.values()) watch.close();
    this.#watched.clear();
  }

  #terminatorFor(config: TlsConfig): TlsTerminator {
    const terminator = new TlsTerminator(config, this.#metrics, this.#facts);
    if (this.#ticketKey !== undefined) terminator.setTicketKey(this.#ticketKey);
    return terminator;
  }

  #watchAnew(identity: string): void {
    const former = this.#watched.get(identity);
    const terminator = former?.terminator ?? this.#prepared.get(identity);
    if (terminator === undefined) return;
    former?.watch.close();
    this.#watched.set(identity, { terminator, watch: new CertificateWatch(terminator, this.#logger) });
  }
}
