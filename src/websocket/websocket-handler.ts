import type { RequestContext } from '../request/request-context.ts';
import type { Handler } from '../route/route.ts';
import { WebSocketOpening } from './websocket-opening.ts';
import type { WebSocketRoute } from './websocket-route.ts';

/** Takes the requests of a route that are for a WebSocket, and leaves the others to somebody else. */
export class WebSocketHandler implements Handler {
  private readonly route: WebSocketRoute;
  private readonly otherwise: Handler;

  constructor(route: WebSocketRoute, otherwise: Handler) {
    this.route = route;
    this.otherwise = otherwise;
  }

  /** What asks for a WebSocket is never shown to a glance. */
  glance(context: RequestContext): boolean {
    return this.otherwise.glance?.(context) === true;
  }

  handle(context: RequestContext): void {
    const request = context.exchange.webSocketRequest;
    if (request === undefined) this.otherwise.handle(context);
    else new WebSocketOpening(this.route, context, request).start();
  }
}
