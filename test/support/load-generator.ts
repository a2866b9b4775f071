import { Agent, get } from 'node:http';

/** What the clients saw. */
export interface LoadResult {
  /** Responses by status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly answered: number;
  /** Requests whose connection ended without a whole response. */
  readonly failed: number;
}

export interface Load {
  readonly port: number;
  readonly paths: readonly string[];
  readonly connections: number;
  /** Asked before each request; false ends the load. `sent` counts up from 0. */
  readonly goOn: (sent: number) => boolean;
}

/** Sends requests over keep-alive connections, one at a time on each, and counts every answer. Nothing is retried. */
export async function generateLoad({ port, paths, connections, goOn }: Load): Promise<LoadResult> {
  const statuses = new Map<number, number>();
  let sent = 0;
  let answered = 0;
  let failed = 0;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (goOn(sent)) {
      const path = paths[sent % paths.length] ?? '/';
      sent += 1;
      const status = await ask(agent, port, path);
      if (status === undefined) {
        failed += 1;
      } else {
        answered += 1;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: connections }, client));
  return { statuses, answered, failed };
}

/** The status of a whole response, or undefined when there was none. */
function ask(agent: Agent, port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent, timeout: 10_000 });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.on('response', (response) => {
      response.resume();
      response.on('error', () => resolve(undefined));
      response.on('close', () => resolve(response.complete ? response.statusCode : undefined));
    });
  });
}
