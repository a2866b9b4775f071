/**
 * `npm run cache-faults [-- KILLS]`: kills processes that store, renew, remove and evict, at random moments, 1,000 times by
 * default, one worker or the whole tree in turn. Ends with 1 when anything was found that is not exactly what had been stored, when
 * files passed the bound by more than 2 %, or when something was left behind.
 */
import { CacheFaults } from '../test/support/cache-faults.ts';
import { CacheStores } from '../test/support/cache-stores.ts';
import { waitFor } from '../test/support/wait-for.ts';

const kills = Number(process.argv[2] ?? 1000);
/** Files are looked at one by one after so many. */
const inspectEvery = 50;
const startedAt = Date.now();
const faults = new CacheFaults();
let inspected = 0;
let wrong: readonly string[] = [];
try {
  for (let done = 0; done < kills && wrong.length === 0; ) {
    await faults.start();
    const until = Math.min(kills, done + inspectEvery);
    for (; done < until; done++) await faults.kill(done % 3 === 0 ? 'tree' : 'worker', Math.random() ** 2 * 600);
    await faults.stop();
    wrong = await inspect();
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    process.stdout.write(`${done} kills, ${inspected} entries right, at most ${share()} of the bound, ${seconds} s\n`);
  }
} finally {
  await faults.stop();
  faults.dispose();
}
for (const each of wrong) process.stdout.write(`wrong: ${each}\n`);
process.exitCode = wrong.length === 0 && faults.largestShare <= 1.02 ? 0 : 1;

async function inspect(): Promise<readonly string[]> {
  const ends: (() => void)[] = [];
  const stores = new CacheStores({ after: (end) => void ends.push(end as () => void) }, faults.config);
  try {
    const result = await faults.inspect(stores);
    inspected += result.right;
    await waitFor(() => stores.temporaryFiles() === 0, 'what was being written to be gone');
    return [...result.wrong, ...faults.faults.split('\n').filter(Boolean)];
  } finally {
    for (const end of ends) end();
  }
}

function share(): string {
  return `${(faults.largestShare * 100).toFixed(1)} %`;
}
