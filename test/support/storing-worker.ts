/**
 * A process that stores, renews, removes and finds as fast as it can, as a worker does, until it is killed. What it finds and
 * is not right goes to the file that the second argument names. Talks with a keeper over the pipe to its parent.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { PurgeOrders } from '../../src/cache/purge-orders.ts';
import type { ZoneConfig } from '../../src/cache/store/zone-config.ts';
import { ZoneStore } from '../../src/cache/store/zone-store.ts';
import type { ToWorker } from '../../src/ipc/message.ts';
import { bodyOf, commit, find, writeBody } from './cache-stores.ts';
import { derivedBody, derivedHead, faultOf } from './derived-response.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';

const config = JSON.parse(process.argv[2] ?? '') as ZoneConfig;
const faults = process.argv[3] ?? '';
const keys = 400;
const lanes = 6;

const store = new ZoneStore(config, {
  recorder: new FakeRecorder(),
  logger: new RecordingLogger(),
  purges: new PurgeOrders().zone(config.name),
  send: (reports) => void process.send?.({ type: 'cache-store', reports }, () => undefined),
});
process.on('message', (message: ToWorker) => {
  if (message.type === 'cache-store') for (const order of message.orders) store.receive(order);
});
process.on('disconnect', () => process.exit(0));
setInterval(() => {
  // Its parent may have died before there was anybody to hear of it.
  if (!process.connected) process.exit(0);
  store.settle();
}, 1000);
void find(store, 'none').then(() => writeFileSync(`${faults}.ready-${process.pid}`, ''));
for (let lane = 0; lane < lanes; lane++) void work();

async function work(): Promise<never> {
  for (;;) {
    const key = `host.test/${Math.floor(Math.random() * keys)}`;
    const chance = Math.random();
    if (chance < 0.4) await storeVersion(key, Math.floor(Math.random() * 1000));
    else if (chance < 0.43) store.remove(key);
    else await check(key, chance < 0.65);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function storeVersion(key: string, version: number): Promise<void> {
  const body = derivedBody(key, version);
  const length = version % 2 === 0 ? body.length : undefined;
  const writer = store.begin(key, derivedHead(key, version, Date.now()), length);
  if (writer === undefined) return;
  if (version % 7 === 0) writer.share();
  await writeBody(writer, body, 30_000);
  if (version % 11 === 0) writer.abandon();
  else await commit(writer);
}

async function check(key: string, renews: boolean): Promise<void> {
  const entry = await find(store, key);
  if (entry === undefined || !('response' in entry)) return;
  try {
    const fault = faultOf(key, entry.response, await bodyOf(entry));
    if (fault !== undefined) appendFileSync(faults, `${fault}\n`);
  } catch (error) {
    // Evicted in between; a file that is there and corrupt would be a fault.
    const { message } = error as Error;
    if (message !== 'the body is gone') appendFileSync(faults, `${key}: ${message}\n`);
    return;
  }
  const version = Number(entry.response.etag?.slice(1, -1));
  if (renews) {
    const { bodyLength } = entry.response;
    store.renew(key, entry, { ...derivedHead(key, version, Date.now()), bodyLength });
  }
}
