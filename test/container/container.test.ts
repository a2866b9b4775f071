import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildah, buildImage, containersMissing, makeBaseImage, startInContainer } from '../support/container-image.ts';
import { freePort } from '../support/free-port.ts';
import { ProcessOne } from '../support/process-one.ts';
import { descendantsOf, killAll } from '../support/process-tree.ts';
import { waitFor } from '../support/wait-for.ts';

/* The Dockerfile, built and run with buildah: no container engine and no registry is needed. */

const skip = containersMissing() ?? false;
const minute = 60_000;
const image = `localhost/portico-under-test:${process.pid}`;
const testImage = `localhost/portico-tests:${process.pid}`;
const containers: string[] = [];
let container = '';

/** What the image says of itself. */
interface ImageFacts {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
}

function factsOf(name: string): ImageFacts {
  const inspected = JSON.parse(buildah('inspect', '--type', 'image', name)) as { Docker: { config: ImageFacts } };
  return inspected.Docker.config;
}

function startContainer(name: string): string {
  const started = buildah('from', name).trim();
  containers.push(started);
  return started;
}

before(
  () => {
    if (skip) return;
    makeBaseImage();
    buildImage(image);
    container = startContainer(image);
  },
  { timeout: 12 * minute },
);

after(() => {
  for (const name of containers) buildah('rm', name);
  if (container !== '') buildah('rmi', '--force', image);
});

test('the image runs as a user without rights, with a command in exec form and labels', { skip }, () => {
  const facts = factsOf(image);
  assert.equal(facts.User, 'node');
  assert.deepEqual(facts.Entrypoint, ['node', '/app/dist/main.js']);
  assert.deepEqual(facts.Cmd, ['serve', '-c', '/etc/portico/portico.yaml']);
  assert.equal(facts.Labels['org.opencontainers.image.title'], 'Portico');
  assert.ok('8080/tcp' in facts.ExposedPorts);
  assert.equal(buildah('run', container, '--', 'id', '-u').trim(), '1000');
});

test('the image has no development dependency, no source and no test', { skip }, () => {
  const listing = buildah('run', container, '--', 'ls', '/app', '/app/node_modules', '/app/node_modules/.bin');
  assert.match(listing, /^dist$/m);
  assert.match(listing, /^zod$/m);
  assert.doesNotMatch(listing, /^(src|test|bench|examples|typescript|tsx|esbuild|fast-check)$/m);
});

test('the user cannot change the program', { skip }, () => {
  assert.throws(() => buildah('run', container, '--', 'touch', '/app/dist/main.js'), /Permission denied/);
});

test('the current uWebSockets.js build runs on Node.js 24', { skip }, () => {
  const text = buildah('run', container, '--', 'node', '/app/dist/main.js', 'version');
  assert.match(text, /v?24\./);
  assert.match(text, /20\.69/);
});

test('a missing configuration is one clear error with exit code 2', { skip }, async () => {
  const child = startInContainer(container, ['node', '/app/dist/main.js', 'serve', '-c', '/etc/portico/portico.yaml']);
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await waitFor(() => child.exitCode !== null, 'its end');
  assert.match(text, /\/etc\/portico\/portico\.yaml/);
  assert.match(text, /exit status 2|exit code 2/);
});

test('as process 1 on a read-only file system it serves, is healthy, and SIGTERM ends it with 0', {
  skip,
}, async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), 'portico-container-'));
  const healthUrl = `PORTICO_HEALTH_URL=http://127.0.0.1:${adminPort}/health`;
  const facts = factsOf(image);
  const healthCommand = facts.Healthcheck.Test.slice(1);
  const isHealthy = (): boolean => {
    try {
      buildah('run', '--env', healthUrl, container, '--', ...healthCommand);
      return true;
    } catch {
      return false;
    }
  };
  try {
    await writeFile(join(folder, 'page.html'), 'from the container');
    await writeFile(
      join(folder, 'portico.yaml'),
      `listen: ["127.0.0.1:${port}"]\nadmin: { address: "127.0.0.1:${adminPort}" }\nworkers: 2\n` +
        'sites: [{ routes: [{ path: /, static: { root: /srv/static } }] }]\n',
    );
    buildah('copy', container, join(folder, 'portico.yaml'), '/etc/portico/portico.yaml');
    buildah('copy', container, join(folder, 'page.html'), '/srv/static/page.html');
    assert.equal(isHealthy(), false, 'the health check fails while nothing runs');
    const root = buildah('mount', container).trim();
    const running = new ProcessOne(root, '1000:1000', [...facts.Entrypoint, ...facts.Cmd]);
    try {
      await waitFor(async () => {
        if (running.hasEnded()) throw new Error(running.output);
        return fetch(`http://127.0.0.1:${port}/page.html`).then(
          async (response) => (await response.text()) === 'from the container',
          () => false,
        );
      }, 'the page');
      assert.equal(isHealthy(), true, 'the health check of the image');
      assert.equal(await running.signal('SIGTERM'), 0, running.output);
    } finally {
      await running.kill();
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

test('the unit, integration and process tests pass inside the image', { skip, timeout: 20 * minute }, async () => {
  buildImage(testImage, '--target', 'test');
  const child = startInContainer(startContainer(testImage), factsOf(testImage).Cmd);
  try {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await waitFor(() => child.exitCode !== null, 'the end of the tests', 18 * minute).catch((error: unknown) => {
      throw new Error(`the tests wrote:\n${text.slice(-20_000)}`, { cause: error });
    });
    assert.equal(child.exitCode, 0, text.slice(-20_000));
    assert.match(text, /\d+ passed, 0 failed/);
  } finally {
    if (child.exitCode === null) killAll([...descendantsOf(child.pid ?? 0), child.pid ?? 0]);
    for (const name of containers.splice(1)) buildah('rm', name);
    buildah('rmi', '--force', testImage);
  }
});
