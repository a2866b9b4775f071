import { FieldNameTable } from '../../src/upstream/field-name-table.ts';
import { HeadBlock } from '../../src/upstream/head-block.ts';
import { ParserEvent, ResponseParser } from '../../src/upstream/response-parser.ts';

export interface ParsedResponse {
  /** `complete`, `failed`, or `incomplete` when more would have had to come. */
  readonly outcome: 'complete' | 'failed' | 'incomplete';
  readonly status: number;
  /** The head as it is passed on. */
  readonly block: string;
  readonly body: Buffer;
  readonly persistent: boolean;
  readonly excess: boolean;
  readonly contentLength: number | undefined;
  readonly fault: string;
  readonly eventStream: boolean;
  readonly directives: readonly string[] | undefined;
  /** '' where no other protocol is spoken. */
  readonly switchedTo: string;
}

export interface ParseOptions {
  readonly toHead?: boolean;
  /** Whether the connection ends behind the pieces. */
  readonly closed?: boolean;
  readonly removed?: readonly string[];
  readonly directives?: readonly string[];
  readonly maxHead?: number;
  /** Protocols that were asked for, in lower case. */
  readonly asked?: readonly string[];
}

/** Gives the pieces to a parser as reads from a connection, and collects what comes out. */
export function parseResponse(pieces: readonly (string | Uint8Array)[], options: ParseOptions = {}): ParsedResponse {
  const block = new HeadBlock();
  const parser = new ResponseParser(block);
  parser.start(
    options.toHead ?? false,
    new FieldNameTable(options.removed, options.directives),
    options.maxHead ?? 65_536,
    options.asked,
  );
  const body: Buffer[] = [];
  let head = '';
  let outcome: ParsedResponse['outcome'] = 'incomplete';
  let excess = false;
  for (const piece of pieces) {
    // A copy with bytes around it, as in a read buffer; the parser changes it.
    const text = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
    const bytes = Buffer.concat([Buffer.from('HTTP'), text, Buffer.from('\r\n\r\n')]);
    if (outcome === 'complete') excess ||= text.length > 0;
    if (outcome !== 'incomplete') continue;
    parser.feed(bytes, 4, 4 + text.length);
    for (let event = parser.next(); event !== ParserEvent.needMore; event = parser.next()) {
      if (event === ParserEvent.head || event === ParserEvent.switched) head = block.view().toString('latin1');
      if (event === ParserEvent.data) body.push(Buffer.from(parser.bytes.subarray(parser.dataStart, parser.dataEnd)));
      if (event === ParserEvent.end) outcome = 'complete';
      if (event === ParserEvent.failed) outcome = 'failed';
      if (outcome !== 'incomplete') break;
    }
    excess ||= parser.hasExcess;
  }
  if (options.closed === true && outcome === 'incomplete') {
    const event = parser.finish();
    if (event === ParserEvent.end) outcome = 'complete';
    if (event === ParserEvent.failed) outcome = 'failed';
  }
  const { status, persistent, contentLength, fault, eventStream, directives, switchedTo } = parser;
  const facts = { status, persistent, contentLength, fault, eventStream, directives, switchedTo };
  return { ...facts, outcome, block: head, body: Buffer.concat(body), excess };
}
