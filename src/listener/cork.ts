import type { UwsResponse } from './uws-api.ts';

/** Something that writes to a response, in one go. */
export interface CorkTask {
  writeCorked(): void;
}

/**
 * Runs tasks with a response corked, so that what they write leaves in one system call; uWebSockets.js asks for it
 * everywhere but in its own request callback. One for an engine, so that corking takes no closure.
 */
export class Cork {
  #task: CorkTask | undefined;
  readonly #run = (): void => this.#task?.writeCorked();
  readonly #nothing = (): void => {};

  run(response: UwsResponse, task: CorkTask): void {
    const outer = this.#task;
    this.#task = task;
    try {
      response.cork(this.#run);
    } finally {
      this.#task = outer;
    }
  }

  /** Sends what uWebSockets.js holds of earlier writes, as far as the socket takes it. */
  flush(response: UwsResponse): void {
    response.cork(this.#nothing);
  }
}
