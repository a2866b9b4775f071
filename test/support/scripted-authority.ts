import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { toPem } from '../../src/acme/x509-parts.ts';
import { TestCertificates } from './test-certificates.ts';

/** What a client sent, its signature not looked at. */
export interface AuthorityRequest {
  readonly path: string;
  readonly protected: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>> | undefined;
}

export interface AuthorityReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text. */
  readonly body?: object | string;
}

type Script = (request: AuthorityRequest) => AuthorityReply | 'hang up' | undefined;

/** An authority that validates everything at once, and does otherwise as the test says. */
export class ScriptedAuthority {
  readonly certificates = new TestCertificates();
  /** Everything that was asked for, in order. */
  readonly requests: AuthorityRequest[] = [];
  /** Says what to answer in the place of the usual; undefined for that. */
  script: Script = () => undefined;
  #server: Server | undefined;
  #nonce = 0;
  #status = 'pending';
  #csr = '';

  static async start(): Promise<ScriptedAuthority> {
    const authority = new ScriptedAuthority();
    const own = authority.certificates.make('localhost', ['localhost']);
    const files = { cert: readFileSync(own.certificate), key: readFileSync(own.key) };
    const server = createServer(files, (request, response) => void authority.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    authority.#server = server;
    return authority;
  }

  get origin(): string {
    const address = this.#server?.address() as AddressInfo | undefined;
    return `https://localhost:${address?.port ?? 0}`;
  }

  get directory(): string {
    return `${this.origin}/directory`;
  }

  get authority(): string {
    return this.certificates.authority;
  }

  /** How often that was asked for. */
  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.certificates.remove();
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of message as AsyncIterable<Buffer>) text += chunk.toString();
    const jws = text === '' ? {} : (JSON.parse(text) as { readonly protected?: string; readonly payload?: string });
    const path = message.url ?? '';
    const request = { path, protected: decode(jws.protected) ?? {}, payload: decode(jws.payload) };
    this.requests.push(request);
    const reply = this.script(request) ?? this.#usual(request);
    if (reply === 'hang up') return void message.socket.destroy();
    const { status = 200, headers = {}, body = {} } = reply;
    const content = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'replay-nonce': `nonce${this.#nonce++}`, ...headers }).end(content);
  }

  #usual({ path, payload }: AuthorityRequest): AuthorityReply {
    const { origin } = this;
    const order = (): object => ({
      status: this.#status,
      authorizations: [`${origin}/authorization`],
      finalize: `${origin}/finalize`,
      ...(this.#status === 'valid' ? { certificate: `${origin}/certificate` } : {}),
    });
    const challenge = { type: 'http-01', url: `${origin}/challenge`, status: 'pending', token: 'token' };
    switch (path) {
      case '/directory': {
        const urls = ['newNonce', 'newAccount', 'newOrder', 'renewalInfo'].map((name) => [name, `${origin}/${name}`]);
        return { body: Object.fromEntries(urls) as object };
      }
      case '/newAccount':
        return { status: 201, headers: { location: `${origin}/account` }, body: { status: 'valid' } };
      case '/account':
        return { body: { status: 'valid' } };
      case '/newOrder':
        this.#status = 'pending';
        return { status: 201, headers: { location: `${origin}/order` }, body: order() };
      case '/authorization': {
        const status = this.#status === 'pending' ? 'pending' : 'valid';
        return { body: { status, identifier: { type: 'dns', value: 'a.test' }, challenges: [challenge] } };
      }
      case '/challenge':
        this.#status = 'ready';
        return { body: challenge };
      case '/finalize':
        this.#csr = String(payload?.['csr']);
        this.#status = 'valid';
        return { body: order() };
      case '/order':
        return { body: order() };
      case '/certificate':
        return { body: this.#certificate() };
      default:
        return path === '/newNonce' ? {} : { status: 404, body: problem('malformed', 'there is nothing') };
    }
  }

  #certificate(): string {
    const { folder, authority } = this.certificates;
    const [request, extensions] = [join(folder, 'order.csr'), join(folder, 'order.extensions')];
    writeFileSync(request, toPem('CERTIFICATE REQUEST', Buffer.from(this.#csr, 'base64url')));
    writeFileSync(extensions, 'subjectAltName=DNS:a.test\nauthorityKeyIdentifier=keyid\n');
    const key = join(folder, 'authority.key.ca');
    const args = ['-req', '-in', request, '-CA', authority, '-CAkey', key, '-days', '90', '-extfile', extensions];
    const serial = ['-set_serial', `0x8${this.#nonce.toString(16).padStart(7, '0')}`];
    return execFileSync('openssl', ['x509', ...args, ...serial], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  }
}

/** A problem document (RFC 7807) of ACME. */
export function problem(type: string, detail: string): object {
  return { type: `urn:ietf:params:acme:error:${type}`, detail };
}

function decode(part: string | undefined): Record<string, unknown> | undefined {
  if (part === undefined || part === '') return undefined;
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}
