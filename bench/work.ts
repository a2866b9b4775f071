/** One kind of request, the same for every server. */
export interface Work {
  readonly name: string;
  /** First column of the table. */
  readonly title: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** Bytes of request body. */
  readonly bodyBytes: number;
  /** Clients at a time. */
  readonly connections: number;
  readonly needsFiles: boolean;
  /** Sends the ETag that the server gave, so that it answers 304. */
  readonly conditional: boolean;
}

function work(name: string, title: string, path: string, changes: Partial<Work> = {}): Work {
  const needsFiles = !/^\/(tcp|unix)\//.test(path);
  return {
    name,
    title,
    path,
    method: 'GET',
    bodyBytes: 0,
    connections: 32,
    needsFiles,
    conditional: false,
    ...changes,
  };
}

export const works: readonly Work[] = [
  work('static-1k', 'static file, 1 KB', '/1k.html'),
  work('not-modified', 'static file, 304', '/1k.html', { conditional: true }),
  work('static-100k', 'static file, 100 KB', '/100k.bin'),
  work('static-10m', 'static file, 10 MB, 8 clients', '/10m.bin', { connections: 8 }),
  work('proxy-tcp', 'proxy over TCP, 128 B', '/tcp/128'),
  work('proxy-tcp-10k', 'proxy over TCP, 10 KB', '/tcp/10k'),
  work('proxy-unix', 'proxy over a Unix socket, 128 B', '/unix/128'),
  work('proxy-post', 'proxy over TCP, POST of 10 KB', '/tcp/128', { method: 'POST', bodyBytes: 10_240 }),
];
