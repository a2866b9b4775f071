import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BrowserSession } from '../support/browser-session.ts';
import { type DjangoDeployment, deployDjango, signIn } from '../support/django-deployment.ts';
import { freePort } from '../support/free-port.ts';
import { administrator, gunicornMissing } from '../support/gunicorn.ts';
import { waitFor } from '../support/wait-for.ts';

/* The cache of examples/django: what visitors share, what they do not, and what a save purges. */

const skip = gunicornMissing() ?? false;
let deployment: DjangoDeployment;

before(async () => {
  if (skip) return;
  deployment = await deployDjango('portico.yaml', async () => [
    ['http://127.0.0.1:8000', await freePort()],
    ['http://127.0.0.1:8001', await freePort()],
  ]);
});
after(() => deployment?.close());

const statusOf = (response: Response): string => response.headers.get('cache-status') ?? '';

const visitor = 'visitor';
const password = 'correct horse 4 staples';

/** An administrator makes an account, and somebody else signs in with it. */
async function signUp(boss: BrowserSession, somebody: BrowserSession): Promise<void> {
  await boss.get('/admin/auth/user/add/');
  const fields = {
    username: visitor,
    password1: password,
    password2: password,
    usable_password: 'true',
    _save: 'Save',
  };
  assert.equal((await boss.post('/admin/auth/user/add/', fields)).status, 302);
  await somebody.get('/login/');
  const answer = await somebody.post('/login/', { username: visitor, password });
  assert.equal(answer.status, 302, await answer.text());
}

/** The front page as somebody without cookies sees it. */
async function visit(): Promise<{ readonly cache: string; readonly text: string }> {
  const response = await fetch(`${deployment.origin}/`);
  assert.equal(response.status, 200);
  return { cache: statusOf(response), text: await response.text() };
}

async function untilHit(): Promise<string> {
  let text = '';
  await waitFor(async () => {
    const seen = await visit();
    text = seen.text;
    return /; hit/.test(seen.cache);
  }, 'the front page to come from the cache');
  return text;
}

test('the anonymous front page comes from the cache, also for visitors with cookies that mean nothing', {
  skip,
}, async () => {
  const text = await untilHit();
  const response = await fetch(`${deployment.origin}/`, { headers: { Cookie: '_ga=GA1.2.3; csrftoken=abc' } });
  assert.match(statusOf(response), /; hit/);
  assert.equal(await response.text(), text);
  assert.equal(response.headers.get('set-cookie'), null);
});

test('two people with sessions never see the page of each other, nor does a visitor see theirs', { skip }, async () => {
  const anonymous = await untilHit();
  const [one, other] = [new BrowserSession(deployment.origin), new BrowserSession(deployment.origin)];
  await signIn(one);
  await signUp(one, other);
  const people = [
    { session: one, own: administrator.username, foreign: visitor },
    { session: other, own: visitor, foreign: administrator.username },
  ];
  for (const { session, own, foreign } of [...people, ...people]) {
    for (const path of ['/', '/notes/']) {
      const response = await session.get(path);
      assert.equal(response.status, 200);
      assert.match(statusOf(response), /fwd=bypass/);
      assert.doesNotMatch(statusOf(response), /stored/);
      const text = await response.text();
      assert.ok(text.includes(`<span>${own}</span>`));
      assert.ok(!text.includes(`<span>${foreign}</span>`));
    }
  }
  const seen = await visit();
  assert.match(seen.cache, /; hit/);
  assert.equal(seen.text, anonymous);
  const refused = await fetch(`${deployment.origin}/notes/`, { redirect: 'manual' });
  assert.equal(refused.status, 302);
});

test('saving a note purges the front page, in every worker, before the answer to the form', { skip }, async () => {
  const session = new BrowserSession(deployment.origin);
  await signIn(session);
  for (let round = 0; round < 3; round++) {
    const before = await untilHit();
    await session.get('/notes/');
    const saved = await session.post('/notes/', { text: `note ${round}` });
    assert.equal(saved.status, 302);
    const pages = await Promise.all(Array.from({ length: 8 }, visit));
    for (const { text } of pages) assert.notEqual(text, before);
  }
});
