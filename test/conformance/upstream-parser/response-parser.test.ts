import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nodeParseResponse } from '../../support/node-parse-response.ts';
import { parseResponse } from '../../support/parse-response.ts';
import { inPieces, responseBytes } from './response-generator.ts';

const notPassedOn = new Set(['content-length', 'date', 'transfer-encoding', 'connection', 'keep-alive', 'x-a']);

describe('the response parser', () => {
  test('gives the same result however the bytes are split', () => {
    const cut = responseBytes.chain((bytes) =>
      fc.tuple(fc.constant(bytes), inPieces(bytes), fc.boolean(), fc.boolean()),
    );
    fc.assert(
      fc.property(cut, ([bytes, pieces, closed, toHead]) => {
        const whole = parseResponse([bytes], { closed, toHead });
        const split = parseResponse(pieces, { closed, toHead });
        if (whole.outcome === 'failed') {
          // A fault may be seen only when its line is complete, and the end of the connection completes all.
          if (closed) assert.equal(split.outcome, 'failed');
          else assert.notEqual(split.outcome, 'complete');
          return;
        }
        assert.deepEqual(split, whole);
      }),
      { numRuns: 3000 },
    );
  });

  test('refuses what Node refuses, and reads the same where both accept', async () => {
    await fc.assert(
      fc.asyncProperty(responseBytes, fc.boolean(), async (bytes, toHead) => {
        const ours = parseResponse([bytes], { closed: true, toHead });
        if (ours.outcome === 'failed') return;
        const node = await nodeParseResponse(bytes, toHead);
        // Bytes behind the response are no part of it: they cost the connection, not the response.
        if (ours.excess && node.outcome === 'failed') return;
        assert.equal(ours.outcome, node.outcome);
        if (ours.outcome !== 'complete') return;
        assert.equal(ours.status, node.status);
        assert.equal(ours.body.toString('latin1'), node.body.toString('latin1'));
        assert.deepEqual(passedOn(ours.block), passedOnBy(node.fields));
      }),
      { numRuns: 1500 },
    );
  });

  test('survives any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, fc.boolean(), (garbage, inBody) => {
        const prefix = inBody ? 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' : '';
        parseResponse([prefix, garbage], { closed: true });
      }),
      { numRuns: 2000 },
    );
  });
});

function passedOn(block: string): string[] {
  const fields = block.split('\r\n').slice(1);
  return fields.map(normalized).filter((line) => !notPassedOn.has(nameOf(line)));
}

function passedOnBy(fields: readonly string[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index < fields.length; index += 2)
    lines.push(normalized(`${fields[index]}:${fields[index + 1]}`));
  return lines.filter((line) => !notPassedOn.has(nameOf(line)));
}

function normalized(line: string): string {
  const colon = line.indexOf(':');
  return `${line.slice(0, colon)}:${line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, '')}`;
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase();
}
