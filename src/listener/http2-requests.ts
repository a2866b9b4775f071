import { ErrorCode } from '../http2/frame.ts';
import type { TableField } from '../http2/hpack-decoder.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { ConnectionInfo } from './exchange.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { Http2RequestHead } from './http2-request-head.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Http2Tunnel } from './http2-tunnel.ts';
import { IncomingBody } from './incoming-body.ts';
import type { NodeEngineCore } from './node-engine-core.ts';

/**
 * A stream has begun with these fields: gives the request to the handler.
 * @param tooLarge whether there were more of them than announced
 */
export function beginRequest(
  core: NodeEngineCore,
  info: ConnectionInfo,
  stream: Http2Stream,
  fields: readonly TableField[],
  tooLarge: boolean,
): void {
  const head = new Http2RequestHead(fields, info.scheme, stream.remoteEnded, core.hosts);
  if (tooLarge) head.refusal = new PorticoError('header_too_large', 'a header list larger than announced');
  const exchange = new Http2Exchange(core, stream, head, info);
  stream.exchange = exchange;
  if (head.webSocketRequest !== undefined && head.refusal === undefined) stream.tunnel = new Http2Tunnel(stream);
  exchange.handling = true;
  if (head.refusal === undefined) {
    core.handle(exchange);
  } else {
    exchange.mustClose = true;
    core.refuseMalformed(exchange, head.refusal);
  }
  exchange.handling = false;
  if (exchange.over) core.finish(exchange);
  else if (exchange.body instanceof IncomingBody) exchange.body.awaitMore();
}

/** A piece of the request's body has come; it must keep to what Content-Length says (RFC 9113 section 8.1.1). */
export function receiveBody(stream: Http2Stream, data: Buffer, last: boolean): void {
  stream.received += data.length;
  if (last) stream.remoteEnded = true;
  const { exchange, tunnel } = stream;
  if (tunnel !== undefined) return tunnel.receive(data, last);
  if (exchange === undefined) return;
  const { body } = exchange;
  if (!(body instanceof IncomingBody)) {
    if (stream.received > 0) stream.session.reset(stream, ErrorCode.protocolError);
    return;
  }
  const { declaredLength } = body;
  const wrong =
    declaredLength !== undefined && (stream.received > declaredLength || (last && stream.received < declaredLength));
  if (wrong) body.refuse(new PorticoError('request_malformed', 'a body of another length than Content-Length'));
  else exchange.guard(() => body.receive(data, last));
}
