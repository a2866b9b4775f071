/** A process with the keeper of the stores, and workers that store: what a primary and its workers are as far as the cache goes. */
import { fork } from 'node:child_process';
import type { ZoneConfig } from '../../src/cache/store/zone-config.ts';
import type { ToPrimary } from '../../src/ipc/message.ts';
import { CacheKeeper } from '../../src/primary/cache-keeper.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';

const [, , configText = '', faults = '', workerProgram = '', workers = '2'] = process.argv;
const config = JSON.parse(configText) as ZoneConfig;
const logger = new RecordingLogger();
const keeper = new CacheKeeper({ recorder: new FakeRecorder(), logger, now: Date.now });
let nextKey = 0;

keeper.configure([config]);
for (let number = 0; number < Number(workers); number++) startWorker();
process.stdout.write('started\n');

function startWorker(): void {
  const key = nextKey++;
  const child = fork(workerProgram, [configText, faults], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  keeper.joined(key, { send: (message) => child.connected && child.send(message, () => undefined) });
  child.on('message', (message: ToPrimary) => {
    if (message.type === 'cache-store') keeper.told(key, message.reports);
  });
  child.on('exit', () => {
    keeper.died(key);
    startWorker();
  });
}
