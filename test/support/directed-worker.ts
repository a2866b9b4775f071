import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { type InProcessWorker, startInProcessWorker } from './in-process-worker.ts';
import { RawClient, type RawResponse } from './raw-client.ts';
import { type OriginScript, ScriptedOrigin } from './scripted-origin.ts';

export interface DirectedOptions {
  /** What `upstreams.app.directives` says, as YAML in one line. */
  readonly directives?: string;
  /** Further keys of the proxy route, as YAML in one line. */
  readonly proxy?: string;
  /** Further routes, as YAML: one entry a line. */
  readonly routes?: readonly string[];
  /** Further keys of the site, as YAML: one a line. */
  readonly site?: readonly string[];
  /** Further keys of the upstream, as YAML in one line each. */
  readonly upstream?: readonly string[];
}

/**
 * A worker in front of an application that names files instead of sending them: `files` is served by the internal route
 * `/protected/`, `outside` lies beside it.
 */
export class DirectedWorker {
  readonly folder: string;
  readonly files: string;
  readonly origin: ScriptedOrigin;
  worker!: InProcessWorker;

  private constructor(folder: string, origin: ScriptedOrigin) {
    this.folder = folder;
    this.files = join(folder, 'files');
    this.origin = origin;
  }

  /** @param answer what the application answers with: a script, or a whole response */
  static async start(
    test: TestContext,
    answer: OriginScript | string,
    options: DirectedOptions = {},
  ): Promise<DirectedWorker> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'portico-directed-')));
    const script: OriginScript = typeof answer === 'string' ? (socket) => socket.write(answer, 'latin1') : answer;
    const origin = await ScriptedOrigin.start(script);
    const directed = new DirectedWorker(folder, origin);
    test.after(async () => {
      await directed.worker?.close();
      await origin.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    mkdirSync(directed.files);
    directed.worker = await startInProcessWorker(directed.yaml(options), folder);
    return directed;
  }

  yaml(options: DirectedOptions): string {
    const { directives = '{ redirect: true, sendfile: ./files }', proxy = '' } = options;
    return [
      'upstreams:',
      '  app:',
      `    servers: ["http://127.0.0.1:${this.origin.port}"]`,
      `    directives: ${directives}`,
      ...(options.upstream ?? []).map((line) => `    ${line}`),
      'sites:',
      '  - routes:',
      '      - { path: /protected/, internal: true, static: { root: ./files } }',
      ...(options.routes ?? []).map((route) => `      - ${route}`),
      `      - { path: /, proxy: { upstream: app${proxy === '' ? '' : `, ${proxy}`} } }`,
      ...(options.site ?? []).map((line) => `    ${line}`),
      '',
    ].join('\n');
  }

  /** Writes a file, an hour old. @param name below `files`, or `../outside/…` */
  write(name: string, contents: string | Uint8Array): string {
    const path = join(this.files, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    const modified = new Date(Date.now() - 3_600_000);
    utimesSync(path, modified, modified);
    return path;
  }

  /** One request on a connection of its own. @param head fields, one a line, each ended by CR LF */
  async ask(target = '/', head = '', method = 'GET'): Promise<RawResponse> {
    const client = await RawClient.connect(this.worker.port);
    try {
      client.send(`${method} ${target} HTTP/1.1\r\nHost: example.com\r\n${head}\r\n`);
      return await client.response(method);
    } finally {
      client.destroy();
    }
  }
}

/** A whole response of an application, with an empty body unless given. */
export function answering(lines: readonly string[], body = '', status = '200 OK'): string {
  return [`HTTP/1.1 ${status}`, ...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}
