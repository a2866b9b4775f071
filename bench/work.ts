import { pageAssets } from './page-assets.ts';
import { type RequestList, requestList } from './request-list.ts';

/** One kind of request, the same for every server. */
export interface Work {
  readonly name: string;
  /** First column of the table. */
  readonly title: string;
  /** Asked for before anything is measured; and all the time when there is no `list`. */
  readonly path: string;
  /** Requests that are sent one after the other, over all connections. */
  readonly list: RequestList | undefined;
  readonly method: 'GET' | 'POST';
  /** Bytes of request body. */
  readonly bodyBytes: number;
  /** Clients at a time. */
  readonly connections: number;
  readonly needsFiles: boolean;
  readonly needsUpstream: boolean;
  /** Sends the ETag that the server gave, so that it answers 304. */
  readonly conditional: boolean;
  /** Requests that make up one unit of this work: 21 for a page view. */
  readonly requestsPerUnit: number;
  /** Times the usual length of a measurement. */
  readonly lengthFactor: number;
}

/** A work; all that is not said is what most works have. */
export function work(name: string, title: string, path: string, changes: Partial<Work> = {}): Work {
  const needsUpstream = /^\/(tcp|unix)\//.test(path);
  return {
    name,
    title,
    path,
    list: undefined,
    method: 'GET',
    bodyBytes: 0,
    connections: 32,
    needsFiles: !needsUpstream,
    needsUpstream,
    conditional: false,
    requestsPerUnit: 1,
    lengthFactor: 1,
    ...changes,
  };
}

/** A page view as a browser makes it: the page from the application, then what it refers to, on six connections. */
export const pageView: Work = work('page-view', 'page view: 10 KB of HTML proxied, 20 files', '/tcp/10k', {
  list: requestList('page-view', () => ['/tcp/10k', ...pageAssets.map((asset) => asset.path)]),
  connections: 36,
  needsFiles: true,
  requestsPerUnit: 1 + pageAssets.length,
});

/** What a front server does all day. */
export const works: readonly Work[] = [
  work('static-1k', 'static file, 1 KB', '/1k.html'),
  work('not-modified', 'static file, 304', '/1k.html', { conditional: true }),
  work('static-100k', 'static file, 100 KB', '/100k.bin'),
  work('static-10m', 'static file, 10 MB, 8 clients', '/10m.bin', { connections: 8 }),
  work('proxy-tcp', 'proxy over TCP, 128 B', '/tcp/128'),
  work('proxy-tcp-10k', 'proxy over TCP, 10 KB', '/tcp/10k'),
  work('proxy-unix', 'proxy over a Unix socket, 128 B', '/unix/128'),
  work('proxy-post', 'proxy over TCP, POST of 10 KB', '/tcp/128', { method: 'POST', bodyBytes: 10_240 }),
  pageView,
];
