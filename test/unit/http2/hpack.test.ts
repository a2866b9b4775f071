import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder } from '../../../src/http2/hpack-decoder.ts';
import { HpackWriter } from '../../../src/http2/hpack-encoder.ts';

function decoder(limit = 4096): HpackDecoder {
  return new HpackDecoder(limit, (_name, value) => (value === 'wrong' ? 'wrong' : undefined));
}

function fieldsOf(hpack: HpackDecoder, hex: string, maxSize = 65_536): string[] {
  const fields: string[] = [];
  const fault = hpack.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'), maxSize, ({ name, value }) => {
    fields.push(`${name}: ${value}`);
  });
  if (fault !== undefined) throw new Error(fault);
  return fields;
}

describe('decoding of header blocks', () => {
  test('gives the examples of RFC 7541 appendix C.3, without Huffman', () => {
    const hpack = decoder();
    assert.deepEqual(fieldsOf(hpack, '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d'), [
      ':method: GET',
      ':scheme: http',
      ':path: /',
      ':authority: www.example.com',
    ]);
    assert.deepEqual(fieldsOf(hpack, '8286 84be 5808 6e6f 2d63 6163 6865').slice(3), [
      ':authority: www.example.com',
      'cache-control: no-cache',
    ]);
    assert.deepEqual(
      fieldsOf(hpack, '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65').slice(2),
      [':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
    );
  });

  test('gives the examples of RFC 7541 appendix C.4, with Huffman', () => {
    const hpack = decoder();
    assert.equal(fieldsOf(hpack, '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff').at(-1), ':authority: www.example.com');
    assert.equal(fieldsOf(hpack, '8286 84be 5886 a8eb 1064 9cbf').at(-1), 'cache-control: no-cache');
    assert.equal(
      fieldsOf(hpack, '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf').at(-1),
      'custom-key: custom-value',
    );
  });

  test('evicts as appendix C.5 shows, with a table of 256 bytes', () => {
    const hpack = decoder(256);
    fieldsOf(
      hpack,
      '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    );
    assert.deepEqual(fieldsOf(hpack, '4803 3330 37c1 c0bf'), [
      ':status: 307',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ]);
  });

  const broken: Readonly<Record<string, string>> = {
    'index 0': '80',
    'an index beyond the tables': 'be',
    'an integer without an end': 'ffffffffffffffff',
    'an integer too large': 'ff8080808080 7f',
    'a string longer than the block': '000a61',
    'Huffman padded with zeros': '0081f8 8100',
    'Huffman padded by more than seven bits': '000161 82 1fff',
    'the end of the string in Huffman': '000161 84 ffffffff',
    'a table larger than announced': '3fe2 1f',
    'a change of the table behind a field': '82 20',
    'a literal without a value': '000161',
  };
  for (const [what, hex] of Object.entries(broken)) {
    test(`fails for ${what}`, () => assert.throws(() => fieldsOf(decoder(), hex), /compression/));
  }

  test('decodes a list that is too large to its end, so that the table stays in step', () => {
    const hpack = decoder();
    assert.throws(() => fieldsOf(hpack, '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', 60), /too-large/);
    assert.deepEqual(fieldsOf(hpack, 'be'), [':authority: www.example.com']);
  });

  test('keeps what a check said of a field with it', () => {
    const hpack = decoder();
    const faults: (string | undefined)[] = [];
    const take = ({ fault }: { fault: string | undefined }): void => void faults.push(fault);
    hpack.decode(
      Buffer.concat([Buffer.from('400161', 'hex'), Buffer.from('05', 'hex'), Buffer.from('wrong')]),
      1000,
      take,
    );
    hpack.decode(Buffer.from('be', 'hex'), 1000, take);
    assert.deepEqual(faults, ['wrong', 'wrong']);
  });

  test('never throws and never hangs on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decoder().decode(Buffer.from(bytes), 1000, () => undefined);
      }),
      { numRuns: 5000 },
    );
  });

  test('reads back what the writer wrote', () => {
    const name = fc.stringMatching(/^[a-z0-9-]{1,30}$/);
    const value = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,300}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (fields) => {
        const writer = new HpackWriter();
        for (const [one, other] of fields) writer.field(one, other);
        const read: (readonly [string, string])[] = [];
        decoder().decode(Buffer.from(writer.view()), 1e6, (field) => void read.push([field.name, field.value]));
        assert.deepEqual(read, fields);
      }),
    );
  });
});
