import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GlanceForecast } from '../../../src/listener/glance-forecast.ts';

function glance(forecast: GlanceForecast, path: string, answers: boolean): boolean {
  const worth = forecast.isWorth(path);
  if (worth && !answers) forecast.missed();
  return worth;
}

function count(times: number, once: () => boolean): number {
  let found = 0;
  for (let index = 0; index < times; index++) if (once()) found++;
  return found;
}

test('a glance is worth it as long as it answers', () => {
  const forecast = new GlanceForecast();
  assert.equal(
    count(1000, () => glance(forecast, '/static/a.css', true)),
    1000,
  );
});

test('where glances are in vain they are left out, but for one in some sixty', () => {
  const forecast = new GlanceForecast();
  const glances = count(6500, () => glance(forecast, '/app/list', false));
  assert.ok(glances > 64 && glances < 250, `${glances} glances`);
});

test('the rest of the path does not matter', () => {
  const forecast = new GlanceForecast();
  for (let index = 0; index < 64; index++) glance(forecast, `/app/${index}`, false);
  assert.equal(glance(forecast, '/app/other/page', false), false);
});

test('other segments are not held responsible', () => {
  const forecast = new GlanceForecast();
  for (let index = 0; index < 100; index++) glance(forecast, '/app/list', false);
  assert.equal(glance(forecast, '/static/app.css', true), true);
});

test('a single miss among answers changes nothing', () => {
  const forecast = new GlanceForecast();
  let index = 0;
  assert.equal(
    count(1000, () => glance(forecast, '/static/a.css', index++ % 5 !== 0)),
    1000,
  );
});

test('glances come back where they answer again', () => {
  const forecast = new GlanceForecast();
  for (let index = 0; index < 100; index++) glance(forecast, '/app/list', false);
  const glances = count(200, () => glance(forecast, '/app/list', true));
  assert.ok(glances > 130, `${glances} glances`);
});

test('any text is a path', () => {
  const forecast = new GlanceForecast();
  for (const path of ['', '/', '/a', 'x'.repeat(10_000), '/\u{10ffff}/']) assert.equal(forecast.isWorth(path), true);
});
