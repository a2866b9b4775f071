import type { ListenAddress } from '../config/config.ts';
import type { ToWorker } from '../ipc/message.ts';
import type { Logger } from '../log/logger.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { CertificateExpiry } from './certificate-expiry.ts';
import { OcspStapler } from './ocsp-stapler.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** What the primary does about the certificates of listeners: tells when they expire, and has them confirmed by OCSP. */
export class CertificateSupervision {
  readonly #expiry: CertificateExpiry;
  readonly #stapler: OcspStapler;

  /** @param broadcast tells all workers */
  constructor(logger: Logger, recorder: Recorder, broadcast: (message: ToWorker) => unknown) {
    this.#stapler = new OcspStapler({
      logger,
      recorder,
      broadcast: (staples) => void broadcast({ type: 'ocsp-staples', staples }),
    });
    this.#expiry = new CertificateExpiry({
      logger,
      recorder,
      stapled: (certificates) => this.#stapler.apply(certificates),
    });
  }

  /** Looks after the certificates of these listeners from now on. */
  applyConfig(listen: readonly ListenAddress[]): void {
    this.#expiry.applyConfig(listen);
  }

  /** A worker has started: it learns what to staple ahead of its configuration. */
  joined(slot: Pick<WorkerSlot, 'send'>): void {
    const { staples } = this.#stapler;
    if (staples.length > 0) slot.send({ type: 'ocsp-staples', staples });
  }

  close(): void {
    this.#expiry.close();
    this.#stapler.close();
  }
}
