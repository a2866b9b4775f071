import type { IncomingMessage } from 'node:http';
import type { ServerStateOrder } from '../ipc/message.ts';
import { answerPurge, type CacheControl } from './cache-api.ts';
import { type ControlAccess, refusalOf } from './control-guard.ts';

/** What can be changed through the admin listener while the program runs. */
export interface Control {
  /** Who may; it may change at a reload. */
  readonly access: () => ControlAccess;
  /** Host of `admin.address`, undefined for every address. */
  readonly host: () => string | undefined;
  /** Begins to replace the workers. @returns false when that is under way already */
  readonly rollWorkers: () => boolean;
  /** @returns false when there is no such server */
  readonly setServerState: (order: ServerStateOrder) => boolean;
  /** Left out: there is no cache. */
  readonly cache?: CacheControl;
  /** How far the replacement of workers is, for the answer. */
  readonly rollStatus: () => object | null;
}

/** An answer as status and JSON. */
export interface ControlAnswer {
  readonly status: number;
  readonly value: object;
}

const maxBodyBytes = 4096;
const purgePath = '/cache/purge';
/** A thousand URLs. */
const maxPurgeBytes = 256 * 1024;
const serverStatePath = /^\/upstreams\/([^/]+)\/servers\/([^/]+)\/state$/;
const states: readonly ServerStateOrder['state'][] = ['ready', 'drain', 'maintenance', 'configured'];

type Action = (body: unknown) => ControlAnswer | Promise<ControlAnswer>;

/** The requests that change something: `POST /workers/roll`, `POST /cache/purge`, `POST /upstreams/NAME/servers/SERVER/state`. */
export class ControlApi {
  private readonly control: Control;

  constructor(control: Control) {
    this.control = control;
  }

  /** @returns undefined when nothing of that path can be changed */
  find(path: string): Action | undefined {
    if (path === '/workers/roll') return () => this.roll();
    const { cache } = this.control;
    if (path === purgePath && cache !== undefined) return (body) => answerPurge(cache, body);
    const match = serverStatePath.exec(path);
    if (match === null) return undefined;
    try {
      const [upstream, server] = [decodeURIComponent(match[1] ?? ''), decodeURIComponent(match[2] ?? '')];
      return (body) => this.setServerState(upstream, server, body);
    } catch {
      // A broken percent-encoding names nothing.
      return undefined;
    }
  }

  /** Does it, unless the request may not, or says something else than JSON. */
  async answer(request: IncomingMessage, action: Action, isUnix = false): Promise<ControlAnswer> {
    const { control } = this;
    const { headers, socket } = request;
    const refusal = refusalOf(
      // Whoever is on a Unix socket is on this machine. One who is gone has no address either.
      { headers, remoteAddress: isUnix ? '127.0.0.1' : socket.remoteAddress },
      control.access(),
      control.host(),
    );
    if (refusal !== undefined) return answerWith(refusal.status, refusal.error);
    const most = request.url?.startsWith(purgePath) === true ? maxPurgeBytes : maxBodyBytes;
    const body = await bodyOf(request, most);
    if (body === undefined) return answerWith(413, `a body has at most ${most} bytes`);
    try {
      return await action(body.trim() === '' ? {} : JSON.parse(body));
    } catch (error) {
      if (error instanceof SyntaxError) return answerWith(400, 'the body is not JSON');
      throw error;
    }
  }

  private roll(): ControlAnswer {
    const { rollWorkers, rollStatus } = this.control;
    if (!rollWorkers()) return answerWith(409, 'the workers are being replaced, or the program starts or stops');
    return { status: 202, value: { roll: rollStatus(), progress: '/status' } };
  }

  private setServerState(upstream: string, server: string, body: unknown): ControlAnswer {
    const wanted: unknown = typeof body === 'object' && body !== null && 'state' in body ? body.state : undefined;
    const state = states.find((each) => each === wanted);
    if (state === undefined) return answerWith(400, `expected {"state": one of ${states.join(', ')}}`);
    if (this.control.setServerState({ upstream, server, state }))
      return { status: 200, value: { upstream, server, state } };
    return answerWith(404, `there is no server ${server} in the upstream ${upstream}; /status names them`);
  }
}

function answerWith(status: number, error: string): ControlAnswer {
  return { status, value: { error } };
}

/** @returns undefined when it is longer than it may be; the rest is passed over then, so that the answer can be read */
function bodyOf(request: IncomingMessage, most: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= most) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString()));
    request.on('error', reject);
  });
}
