import { connect, type Socket } from 'node:net';
import type { UwsModule, UwsResponse } from './uws-api.ts';

/**
 * A response that is never given, on a connection of the worker with itself. In the compatibility build a cork around an
 * upgrade looks at the HTTP response that is a WebSocket by then, and at what it finds in that memory may close it. While
 * another response is corked, the one that is upgraded is not, and nobody looks.
 */
export class UwsCorkAnchor {
  #response: UwsResponse | undefined;
  #client: Socket | undefined;
  #unlisten: (() => void) | undefined;
  readonly #close: () => void;

  constructor(uws: UwsModule) {
    const app = uws.App();
    this.#close = () => app.close();
    app.any('/*', (response) => {
      this.#unlisten?.();
      response.onAborted(() => {
        this.#response = undefined;
      });
      this.#response = response;
    });
    app.listen('127.0.0.1', 0, (listening) => {
      if (listening === false) return;
      this.#unlisten = () => {
        // Nobody else is to come; a second close of the same socket would free it twice.
        this.#unlisten = undefined;
        uws.us_listen_socket_close(listening);
      };
      const client = connect({ host: '127.0.0.1', port: uws.us_socket_local_port(listening) }, () => {
        client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      });
      // It ends with the worker, and must not keep it alive.
      client.unref().on('error', () => {});
      this.#client = client;
    });
  }

  /** Runs an upgrade of another response; within that response's own cork where the connection is not there. */
  run(upgraded: UwsResponse, upgrade: () => void): void {
    (this.#response ?? upgraded).cork(upgrade);
  }

  close(): void {
    this.#client?.destroy();
    this.#close();
  }
}
