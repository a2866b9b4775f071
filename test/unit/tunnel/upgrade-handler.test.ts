import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestContext } from '../../../src/request/request-context.ts';
import { TunnelCensus } from '../../../src/tunnel/tunnel-census.ts';
import { TunnelRoute } from '../../../src/tunnel/tunnel-route.ts';
import { UpgradeHandler } from '../../../src/tunnel/upgrade-handler.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';

function handler(maxOpen = 10): { readonly upgrades: UpgradeHandler; readonly handled: RequestContext[] } {
  const handled: RequestContext[] = [];
  const options = { protocols: ['tcp', 'SPDY/3.1'], idleTimeout: 1000, maxOpen };
  const route = new TunnelRoute(options, new TunnelCensus(), new FakeRecorder());
  return { handled, upgrades: new UpgradeHandler(route, { handle: (context) => void handled.push(context) }) };
}

function asking(...protocols: string[]): FakeExchange {
  return new FakeExchange({ upgrade: { protocols } });
}

test('of what a client asks for the listed protocols remain, once each, as it spells them', () => {
  const { upgrades, handled } = handler();
  upgrades.handle(asking('h2c', 'spdy/3.1', 'TCP', 'tcp', 'tcp/2').withContext());
  assert.deepEqual(handled[0]?.upgrade?.protocols, ['spdy/3.1', 'TCP']);
  assert.deepEqual(handled[0]?.upgrade?.names, ['spdy/3.1', 'tcp']);
});

test('a request for nothing that is listed is an ordinary one and takes no place', () => {
  const { upgrades, handled } = handler(1);
  for (const exchange of [asking('h2c', 'spdy/3'), new FakeExchange(), asking('tcp'), asking('foo')])
    upgrades.handle(exchange.withContext());
  assert.deepEqual(
    handled.map(({ upgrade, places }) => [upgrade?.protocols, places?.length]),
    [
      [undefined, undefined],
      [undefined, undefined],
      [['tcp'], 1],
      [undefined, undefined],
    ],
  );
});

test('what was made on behalf of another request asks for nothing', () => {
  const { upgrades, handled } = handler();
  const context = asking('tcp').withContext();
  context.origin = { context: new FakeExchange().withContext(), depth: 1, contentType: undefined };
  upgrades.handle(context);
  assert.equal(handled[0]?.upgrade, undefined);
});

test('places taken before are kept beside the new one, and without one left the answer is 503', () => {
  const { upgrades, handled } = handler(1);
  let released = 0;
  const context = asking('tcp').withContext();
  context.places = [{ release: () => void released++ }];
  upgrades.handle(context);
  assert.equal(handled[0]?.places?.length, 2);
  const refused = asking('tcp');
  upgrades.handle(refused.withContext());
  assert.equal(refused.status, 503);
  assert.equal(refused.context?.error?.code, 'upgrade_limit');
  for (const place of handled[0]?.places ?? []) place.release();
  assert.equal(released, 1);
  upgrades.handle(asking('tcp').withContext());
  assert.equal(handled.length, 2);
});
