import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldNameTable } from '../../../src/upstream/field-name-table.ts';
import { HeadBlock } from '../../../src/upstream/head-block.ts';
import { ParserEvent, ResponseParser } from '../../../src/upstream/response-parser.ts';

test('a piece of body is what lies there now, whatever lay there before', () => {
  const parser = new ResponseParser(new HeadBlock());
  const memory = Buffer.alloc(256);
  const other = Buffer.alloc(256);
  const names = new FieldNameTable();
  for (const [buffer, head, body] of [
    [memory, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'first'],
    [memory, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'again'],
    [memory, 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', 'another'],
    [memory, 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nA: b\r\n\r\n', 'shifted'],
    [other, 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nA: b\r\n\r\n', 'strange'],
  ] as const) {
    parser.start(false, names, 8192);
    const end = buffer.write(head + body, 'latin1');
    parser.feed(buffer, 0, end);
    assert.equal(parser.next(), ParserEvent.head);
    assert.equal(parser.next(), ParserEvent.data);
    assert.equal(parser.data().toString('latin1'), body);
    assert.equal(parser.data().buffer, buffer.buffer);
    assert.equal(parser.next(), ParserEvent.end);
  }
});
