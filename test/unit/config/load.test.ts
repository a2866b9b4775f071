import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Config } from '../../../src/config/config.ts';
import type { ConfigOverrides, FlagsSource } from '../../../src/config/config-source.ts';
import { type LoadResult, loadConfig } from '../../../src/config/load.ts';
import { formatProblems } from '../../../src/config/problem.ts';

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'portico-load-'));
  mkdirSync(join(folder, 'public'));
  writeFileSync(join(folder, 'public/index.html'), 'index');
  writeFileSync(join(folder, '404.html'), 'not here');
});

after(() => rmSync(folder, { recursive: true }));

type Loaded = Extract<LoadResult, { ok: true }>;

async function load(
  text: string,
  options: { name?: string; environment?: NodeJS.ProcessEnv; overrides?: ConfigOverrides } = {},
): Promise<LoadResult> {
  const { name = 'portico.yaml', environment = {}, overrides = {} } = options;
  const path = join(folder, name);
  writeFileSync(path, text);
  return loadConfig({ kind: 'file', path, overrides }, environment);
}

function valid(result: LoadResult): Loaded {
  if (!result.ok) assert.fail(formatProblems(result.problems, { colour: false }));
  return result;
}

function firstRoute(config: Config) {
  const route = config.sites[0]?.routes[0];
  assert.ok(route);
  return route;
}

const hello = 'sites: [{ routes: [{ path: /, respond: { body: hello } }] }]\n';

const wholeExample = `
listen: [0.0.0.0:8080, { address: '[::1]:8081' }]
admin: { address: 127.0.0.1:9181 }
workers: 3
trustedProxies: [10.0.0.0/8]
accessLog: { path: access.log, format: json }
upstreams:
  app:
    servers:
      - { url: http://127.0.0.1:8000, weight: 2 }
      - unix:run/app.sock
sites:
  - hosts: [Example.com, '*.example.com']
    errorPages: { 404: 404.html }
    routes:
      - { path: /static/, static: { root: ./public, passThrough: app }, bodyLimit: 1KB }
      - { path: /old/*, redirect: { to: /new/, status: 308 } }
      - { path: /, proxy: { upstream: app } }
      - { path: /, methods: [POST], proxy: { upstream: app } }
`;

describe('a valid configuration', () => {
  test('comes out with addresses split, paths absolute and references resolved', async () => {
    const { config, warnings } = valid(await load(wholeExample));
    assert.deepEqual(warnings, []);
    assert.deepEqual(config.listen[1], {
      address: '[::1]:8081',
      host: '::1',
      port: 8081,
      engine: 'auto',
      redirectToHttps: false,
    });
    assert.deepEqual(config.admin, {
      address: '127.0.0.1:9181',
      host: '127.0.0.1',
      port: 9181,
      control: 'local',
    });
    assert.equal(config.workers, 3);
    assert.ok(config.accessLog && config.accessLog.path === join(folder, 'access.log'));
    const socketPath = join(folder, 'run/app.sock');
    const servers = config.upstreams['app']?.servers ?? [];
    assert.deepEqual(
      servers.map(({ name, address, weight, state, level }) => ({ name, address, weight, state, level })),
      [
        { name: '127.0.0.1:8000', address: { host: '127.0.0.1', port: 8000 }, weight: 2, state: 'ready', level: 0 },
        { name: `unix:${socketPath}`, address: { socketPath }, weight: 1, state: 'ready', level: 0 },
      ],
    );
    const [site] = config.sites;
    assert.equal(site?.name, 'example.com');
    assert.deepEqual(site?.hosts, ['example.com', '*.example.com']);
    assert.deepEqual(site?.errorPages, { 404: join(folder, '404.html') });
  });

  test('has exactly one action a route, the body limit of the site, and labels that differ', async () => {
    const { config } = valid(await load(wholeExample));
    const routes = config.sites[0]?.routes ?? [];
    assert.deepEqual(
      routes.map(({ name, path, bodyLimit, action }) => [name, path, bodyLimit, action.kind]),
      [
        ['/static/', '/static/', 1024, 'static'],
        ['/old/*', '/old/', 100 * 1024 ** 2, 'redirect'],
        ['/', '/', 100 * 1024 ** 2, 'proxy'],
        ['/#2', '/', 100 * 1024 ** 2, 'proxy'],
      ],
    );
    assert.ok(routes[0]?.action.kind === 'static' && routes[0].action.root === join(folder, 'public'));
    assert.ok(routes.every((route) => !('static' in route) && !('proxy' in route)));
  });

  test('is plain data that crosses between processes unchanged', async () => {
    const { config } = valid(await load(wholeExample));
    assert.deepEqual(structuredClone(config), config);
  });

  test('has defaults for everything but its sites', async () => {
    const { config } = valid(await load(hello));
    assert.deepEqual(config.listen, [{ address: '0.0.0.0:8080', host: '0.0.0.0', port: 8080 }]);
    assert.equal(config.admin?.port, 9180);
    assert.ok(config.workers >= 1);
    assert.equal(config.sites[0]?.name, 'default');
  });

  test('may turn the admin listener and the access log off', async () => {
    const { config } = valid(await load(`admin: false\naccessLog: false\n${hello}`));
    assert.equal(config.admin, undefined);
    assert.equal(config.accessLog, false);
  });

  test('is the same in JSON, with tabs or without', async () => {
    const json = '{\n\t"sites": [{ "routes": [{ "path": "/", "respond": { "body": "hello" } }] }]\n}\n';
    assert.equal(valid(await load(json, { name: 'portico.json' })).hash, valid(await load(hello)).hash);
  });

  test('may begin with a byte order mark and end its lines as Windows does', async () => {
    const text = `\ufeffworkers: 2\r\n${hello}`;
    assert.equal(valid(await load(text)).config.workers, 2);
  });

  test('may use anchors, aliases and merge keys', async () => {
    const { config } = valid(
      await load(`
upstreams:
  a: &defaults { servers: ['127.0.0.1:1'], timeouts: { connect: 1s } }
  b:
    <<: *defaults
    servers: ['127.0.0.1:2']
sites: [{ routes: [{ path: /, proxy: { upstream: a } }, { path: /b, proxy: { upstream: b } }] }]
`),
    );
    assert.equal(config.upstreams['b']?.timeouts.connect, 1000);
    assert.equal(config.upstreams['b']?.servers[0]?.name, '127.0.0.1:2');
  });

  test('takes values from the environment, numbers where they are not quoted', async () => {
    const text = `workers: \${WORKERS:-2}\nlisten: [':\${PORT}']\n${hello}`;
    assert.equal(valid(await load(text, { environment: { PORT: '81' } })).config.workers, 2);
    const { config } = valid(await load(text, { environment: { PORT: '81', WORKERS: '5' } }));
    assert.deepEqual([config.workers, config.listen[0]?.port], [5, 81]);
  });

  test('lets a value from the environment add no keys', async () => {
    const environment = { BODY: 'x }, proxy: { upstream: app' };
    const text = 'sites: [{ routes: [{ path: /, respond: { body: "${BODY}" } }] }]';
    const { action } = firstRoute(valid(await load(text, { environment })).config);
    assert.ok(action.kind === 'respond' && action.body === environment.BODY);
  });

  test('may have names that objects inherit', async () => {
    const text = `
upstreams: { constructor: { servers: ['127.0.0.1:1'] } }
sites: [{ routes: [{ path: /, proxy: { upstream: constructor } }] }]
`;
    assert.deepEqual(Object.keys(valid(await load(text)).config.upstreams), ['constructor']);
    const unknown = await load('sites: [{ routes: [{ path: /, proxy: { upstream: toString } }] }]');
    assert.ok(!unknown.ok);
  });
});

describe('any text at all', () => {
  test('is a configuration or a list of problems with positions, never an exception', async () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom('&a ', '*a', '<<: ', '[', ']', '{', '}', ': ', '\n', '- ', '!!', '${', '}', '"', '\t', '~', '5'),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(wholeExample.length), fc.nat(12), piece, async (from, length, inserted) => {
        const text = wholeExample.slice(0, from) + inserted + wholeExample.slice(from + length);
        const result = await load(text);
        if (result.ok) return;
        assert.ok(result.problems.length > 0);
        for (const { line, column, message } of result.problems) {
          assert.ok(line !== undefined && line >= 1 && column !== undefined && column >= 1);
          assert.doesNotMatch(message, /undefined|\[object/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the hash of a configuration', () => {
  test('is the same for another order of keys, comments and units', async () => {
    const one = valid(await load(`workers: 2\nshutdownTimeout: 60s\n${hello}`));
    const other = valid(await load(`# comment\n${hello}shutdownTimeout: 1m\nworkers: 2\n`));
    assert.match(one.hash, /^[0-9a-f]{64}$/);
    assert.equal(one.hash, other.hash);
  });

  test('changes with any value', async () => {
    const one = valid(await load(`workers: 2\n${hello}`));
    assert.notEqual(valid(await load(`workers: 3\n${hello}`)).hash, one.hash);
  });
});

describe('a module', () => {
  const module = (workers: number) => `
import { defineConfig } from 'portico';
interface Choice { workers: number }
const choice: Choice = { workers: ${workers} };
export default defineConfig({ ...choice, sites: [{ routes: [{ path: '/', respond: { body: '\${GREETING:-hi}' } }] }] });
`;

  test('in TypeScript is run, typed and with environment references', async () => {
    const { config } = valid(await load(module(2), { name: 'portico.config.ts' }));
    assert.equal(config.workers, 2);
    const { action } = firstRoute(config);
    assert.ok(action.kind === 'respond' && action.body === 'hi');
  });

  test('is run anew after a change', async () => {
    for (const workers of [3, 4]) {
      assert.equal(valid(await load(module(workers), { name: 'portico.config.ts' })).config.workers, workers);
    }
  });

  test('may export a promise', async () => {
    const text = 'export default Promise.resolve({ workers: 5, sites: [{ routes: [{ path: "/", respond: {} }] }] });';
    assert.equal(valid(await load(text, { name: 'portico.config.mjs' })).config.workers, 5);
  });
});

describe('flags beside a file', () => {
  test('take the place of what the file says', async () => {
    const overrides = { listen: [':81', ':82'], workers: '7', admin: 'off', accessLog: 'off' };
    const { config } = valid(await load(`workers: 2\nlisten: [':80']\n${hello}`, { overrides }));
    assert.deepEqual(
      config.listen.map(({ port }) => port),
      [81, 82],
    );
    assert.deepEqual([config.workers, config.admin, config.accessLog], [7, undefined, false]);
  });

  test('give the path of the access log and leave its format', async () => {
    const overrides = { accessLog: 'stderr' };
    const { config } = valid(await load(`accessLog: { format: json }\n${hello}`, { overrides }));
    assert.ok(config.accessLog);
    assert.deepEqual([config.accessLog.path, config.accessLog.format], ['stderr', 'json']);
  });

  test('make a mistake in what they replace harmless', async () => {
    valid(await load(`workers: \${UNSET}\n${hello}`, { overrides: { workers: 'auto' } }));
  });

  test('are named when the mistake is theirs', async () => {
    const result = await load(hello, { overrides: { listen: [':80', '8080'], workers: 'lots' } });
    assert.ok(!result.ok);
    assert.deepEqual(
      result.problems.map(({ flag, line, keyPath }) => [flag, line, keyPath]),
      [['--workers lots', undefined, 'workers']],
    );
    const second = await load(hello, { overrides: { listen: [':80', '8080'] } });
    assert.ok(!second.ok);
    assert.deepEqual(
      second.problems.map(({ flag }) => flag),
      ['--listen 8080'],
    );
  });
});

describe('flags without a file', () => {
  const flags = (parts: Partial<FlagsSource>): FlagsSource => {
    return { kind: 'flags', static: [], upstream: [], baseFolder: folder, ...parts };
  };

  test('serve folders, and pass everything else to one upstream', async () => {
    const upstream = ['127.0.0.1:8000', 'http://127.0.0.1:8001'];
    const source = flags({ static: [{ prefix: '/static/', folder: 'public' }], upstream });
    const { config, source: name } = valid(await loadConfig(source, {}));
    assert.equal(name, 'command line');
    assert.deepEqual(
      config.sites[0]?.routes.map(({ path, action }) => [path, action.kind]),
      [
        ['/static/', 'static'],
        ['/', 'proxy'],
      ],
    );
    assert.deepEqual(
      config.upstreams['app']?.servers.map((server) => server.name),
      ['127.0.0.1:8000', '127.0.0.1:8001'],
    );
  });

  test('may serve folders alone', async () => {
    const { config } = valid(await loadConfig(flags({ static: [{ prefix: '/', folder: 'public' }] }), {}));
    assert.deepEqual(config.upstreams, {});
  });

  test('are not looked through for environment variables, which the shell has replaced', async () => {
    const result = await loadConfig(flags({ static: [{ prefix: '/', folder: '${HOME}' }] }), { HOME: folder });
    assert.ok(!result.ok);
  });

  test('are named, several at once', async () => {
    const source = flags({ static: [{ prefix: '/s/', folder: 'nowhere' }], upstream: ['ftp://x'], listen: ['x'] });
    const result = await loadConfig(source, {});
    assert.ok(!result.ok);
    const text = formatProblems(result.problems, { colour: false });
    assert.match(text, /^--listen x: listen\[0\]: wrong address "x" \(allowed: /m);
    assert.match(text, /^--upstream ftp:\/\/x: upstreams\.app\.servers\[0\]: wrong server "ftp:\/\/x" \(allowed: /m);
    assert.match(text, /^--static \/s\/=nowhere: sites\[0\]\.routes\[0\]\.static\.root: cannot use /m);
  });
});

describe('a warning', () => {
  const cases: [string, string, RegExp][] = [
    ['of an upstream that no route uses', `upstreams: { a: { servers: ['127.0.0.1:1'] } }\n${hello}`, /upstream a/],
    [
      'of an admin listener that others reach',
      `admin: { address: ':9180', insecure: true }\n${hello}`,
      /admin\.address :9180/,
    ],
    ['of trust in everybody', `trustedProxies: [0.0.0.0/0]\n${hello}`, /trustedProxies has 0\.0\.0\.0\/0/],
    [
      'of a fallback that is not there',
      'sites: [{ routes: [{ path: /, static: { root: public, fallback: /app.html } }] }]',
      /sites\[0\]\.routes\[0\]\.static\.fallback/,
    ],
  ];
  for (const [name, text, expected] of cases) {
    test(`is given ${name}`, async () => {
      const { warnings } = valid(await load(text));
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', expected);
    });
  }
});
