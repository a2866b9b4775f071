import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { InProcessWorker } from '../../support/in-process-worker.ts';
import { startProxyWorker } from '../../support/proxied-websockets.ts';
import { closePayload, type FrameParts, frame, opcodes, RawWebSocket } from '../../support/raw-websocket.ts';
import { waitFor } from '../../support/wait-for.ts';
import { WebSocketOrigin } from '../../support/websocket-origin.ts';

const { continuation, text, binary, close, ping, pong } = opcodes;
const euro = Buffer.from('€');

/** Frames that are fine, and what comes back from an application that echoes: text, data or pongs. */
const valid: readonly (readonly [
  name: string,
  frames: readonly FrameParts[],
  back: readonly (readonly [number, string])[],
])[] = [
  ['an empty text', [{ opcode: text }], [[text, '']]],
  ['an empty binary message', [{ opcode: binary }], [[binary, '']]],
  ...[1, 125, 126, 127, 128, 65_535, 65_536].map(
    (size) =>
      [`${size} bytes of text`, [{ opcode: text, payload: 'x'.repeat(size) }], [[text, 'x'.repeat(size)]]] as const,
  ),
  ['text beyond ASCII', [{ opcode: text, payload: 'Hällo € 🙂' }], [[text, 'Hällo € 🙂']]],
  ['an empty ping', [{ opcode: ping }], [[pong, '']]],
  ['a ping of 125 bytes', [{ opcode: ping, payload: 'p'.repeat(125) }], [[pong, 'p'.repeat(125)]]],
  [
    'two pings',
    [
      { opcode: ping, payload: '1' },
      { opcode: ping, payload: '2' },
    ],
    [
      [pong, '1'],
      [pong, '2'],
    ],
  ],
  [
    'a pong nobody asked for',
    [
      { opcode: pong, payload: 'x' },
      { opcode: text, payload: 'y' },
    ],
    [[text, 'y']],
  ],
  [
    'two fragments',
    [
      { opcode: text, payload: 'a', fin: false },
      { opcode: continuation, payload: 'b' },
    ],
    [[text, 'ab']],
  ],
  [
    'fragments of which some are empty',
    [
      { opcode: binary, fin: false },
      { opcode: continuation, payload: 'a', fin: false },
      { opcode: continuation, fin: false },
      { opcode: continuation },
    ],
    [[binary, 'a']],
  ],
  [
    'a ping between fragments',
    [
      { opcode: text, payload: 'a', fin: false },
      { opcode: ping, payload: 'now' },
      { opcode: continuation, payload: 'b' },
    ],
    [
      [pong, 'now'],
      [text, 'ab'],
    ],
  ],
  [
    'fragments that cut a character',
    [
      { opcode: text, payload: euro.subarray(0, 1), fin: false },
      { opcode: continuation, payload: euro.subarray(1) },
    ],
    [[text, '€']],
  ],
];

/** Frames for which the connection must be failed (RFC 6455 section 7.1.7). */
const invalid: readonly (readonly [name: string, frames: readonly FrameParts[]])[] = [
  ...[1, 2, 4, 7].map((rsv) => [`reserved bits ${rsv}`, [{ opcode: text, payload: 'x', rsv }]] as const),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, [{ opcode, payload: 'x' }]] as const),
  ['a continuation of nothing', [{ opcode: continuation, payload: 'x' }]],
  [
    'a first fragment within a message',
    [
      { opcode: text, payload: 'a', fin: false },
      { opcode: text, payload: 'b' },
    ],
  ],
  ['a fragmented ping', [{ opcode: ping, payload: 'x', fin: false }]],
  ['a ping of 126 bytes', [{ opcode: ping, payload: 'x'.repeat(126) }]],
  ['a close frame of 126 bytes', [{ opcode: close, payload: closePayload(1000, 'x'.repeat(124)) }]],
  ['text that is not UTF-8', [{ opcode: text, payload: Buffer.from([0xff, 0xfe]) }]],
  ['text with an overlong form', [{ opcode: text, payload: Buffer.from([0xc0, 0xaf]) }]],
  ['text with half a surrogate pair', [{ opcode: text, payload: Buffer.from([0xed, 0xa0, 0x80]) }]],
  ['text that ends within a character', [{ opcode: text, payload: euro.subarray(0, 2) }]],
  [
    'fragments that are not UTF-8 together',
    [
      { opcode: text, payload: 'x', fin: false },
      { opcode: continuation, payload: Buffer.from([0x80]) },
    ],
  ],
  ['a length beyond every bound', [{ opcode: binary, declared: 2 ** 40 }]],
];

describe('frames of a client, as RFC 6455 has them', () => {
  let origin: WebSocketOrigin;
  let worker: InProcessWorker;
  let client: RawWebSocket;

  before(async () => {
    origin = await WebSocketOrigin.start();
    worker = await startProxyWorker([origin.url]);
  });

  afterEach(() => {
    client.client.destroy();
    origin.closes.length = 0;
  });

  after(async () => {
    await worker.close();
    await origin.close();
  });

  async function expectEcho(bytes: () => void, back: readonly (readonly [number, string])[]): Promise<void> {
    bytes();
    const frames = await client.received(back.length);
    assert.deepEqual(
      frames.map(({ opcode, payload, fin, rsv }) => [opcode, payload.toString(), fin, rsv]),
      back.map(([opcode, payload]) => [opcode, payload, true, 0]),
    );
  }

  for (const [name, frames, back] of valid) {
    test(`${name}: comes back`, async () => {
      client = await RawWebSocket.open(worker.port);
      await expectEcho(() => client.send(...frames), back);
      await expectEcho(
        () => client.send({ opcode: close, payload: closePayload(1000) }),
        [...back, [close, closePayload(1000).toString()]],
      );
    });
  }

  test('comes back also when it arrives byte by byte', async () => {
    client = await RawWebSocket.open(worker.port);
    const bytes = Buffer.concat([
      frame({ opcode: text, payload: 'Hällo', fin: false }),
      frame({ opcode: ping, payload: 'p' }),
      frame({ opcode: continuation, payload: 'x'.repeat(130) }),
    ]);
    for (const byte of bytes) {
      client.client.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await expectEcho(
      () => undefined,
      [
        [pong, 'p'],
        [text, `Hällo${'x'.repeat(130)}`],
      ],
    );
  });

  test('any message in any fragments comes back whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 6 }),
        async (parts) => {
          client = await RawWebSocket.open(worker.port);
          const last = parts.length - 1;
          const frames = parts.map((payload, index) => ({
            opcode: index === 0 ? text : continuation,
            payload,
            fin: index === last,
          }));
          await expectEcho(() => client.send(...frames), [[text, parts.join('')]]);
          client.client.destroy();
        },
      ),
      { numRuns: 40 },
    );
  });

  for (const [name, frames] of invalid) {
    test(`${name}: ends the connection, and nothing reaches the application`, async () => {
      client = await RawWebSocket.open(worker.port);
      const messages: unknown[] = [];
      await waitFor(() => origin.sockets.length > 0, 'the WebSocket at the application');
      origin.sockets.at(-1)?.on('message', (data) => messages.push(data));
      client.send(...frames);
      await client.ended();
      await waitFor(() => origin.closes.length > 0, 'the end at the application');
      assert.deepEqual(messages, []);
      assert.deepEqual(
        client.frames.filter(({ opcode }) => opcode !== close),
        [],
      );
    });
  }

  for (const [name, payload, expected] of [
    ['without a code', Buffer.alloc(0), { code: 1005, reason: '' }],
    ['1000', closePayload(1000), { code: 1000, reason: '' }],
    ['1002 with a reason', closePayload(1002, 'prótocol'), { code: 1002, reason: 'prótocol' }],
    ['4321 with the longest reason', closePayload(4321, 'x'.repeat(123)), { code: 4321, reason: 'x'.repeat(123) }],
  ] as const) {
    test(`a close frame ${name} is answered and passed on`, async () => {
      client = await RawWebSocket.open(worker.port);
      client.send({ opcode: close, payload }, { opcode: text, payload: 'too late' });
      const [answer] = await client.received(1);
      assert.equal(answer?.opcode, close);
      await client.ended();
      await waitFor(() => origin.closes.length > 0, 'the end at the application');
      assert.deepEqual(origin.closes, [expected]);
    });
  }

  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
    test(`a close frame with ${code} ends the connection, and the code is not passed on`, async () => {
      client = await RawWebSocket.open(worker.port);
      client.send({ opcode: close, payload: closePayload(code) });
      await client.ended();
      await waitFor(() => origin.closes.length > 0, 'the end at the application');
      assert.ok([1005, 1006].includes(origin.closes[0]?.code ?? 0), JSON.stringify(origin.closes));
    });
  }

  for (const [name, payload] of [
    ['of one byte', Buffer.from([3])],
    ['whose reason is not UTF-8', closePayload(1000, Buffer.from([0xff]))],
  ] as const) {
    test(`a close frame ${name} ends the connection, and nothing of it is passed on`, async () => {
      client = await RawWebSocket.open(worker.port);
      client.send({ opcode: close, payload });
      await client.ended();
      await waitFor(() => origin.closes.length > 0, 'the end at the application');
      assert.ok([1005, 1006].includes(origin.closes[0]?.code ?? 0), JSON.stringify(origin.closes));
    });
  }

  test('a connection that ends within a frame is 1006 for the application', async () => {
    client = await RawWebSocket.open(worker.port);
    client.client.send(frame({ opcode: text, payload: 'cut off' }).subarray(0, 8));
    client.client.halfClose();
    await client.ended();
    await waitFor(() => origin.closes.length > 0, 'the end at the application');
    assert.equal(origin.closes[0]?.code, 1006);
  });
});
