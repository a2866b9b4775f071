import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrowserSession } from './browser-session.ts';
import { moveConfiguration } from './example-copy.ts';
import { freePort } from './free-port.ts';
import { administrator, Gunicorn, prepareDjango } from './gunicorn.ts';
import { type ContentFacts, factsOf } from './large-content.ts';
import { uploadFile } from './multipart-upload.ts';
import { PorticoProcess } from './portico-process.ts';

/** The example in a temporary folder with its Gunicorns and Portico running. */
export interface DjangoDeployment {
  readonly origin: string;
  readonly folder: string;
  readonly gunicorns: readonly Gunicorn[];
  readonly portico: PorticoProcess;
  close(): Promise<void>;
}

/** @param moves addresses of the upstream servers in the configuration, each with where that Gunicorn really listens */
export async function deployDjango(
  configuration: string,
  moves: (folder: string) => Promise<[string, number | string][]>,
): Promise<DjangoDeployment> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-django-'));
  const gunicorns: Gunicorn[] = [];
  try {
    await prepareDjango(folder);
    const [port, adminPort] = [await freePort(), await freePort()];
    const variables = { PORTICO_ADMIN: `http://127.0.0.1:${adminPort}` };
    const listening = await moves(folder);
    const path = join(folder, configuration);
    await moveConfiguration(path, {
      '0.0.0.0:8080': `127.0.0.1:${port}`,
      '127.0.0.1:9180': `127.0.0.1:${adminPort}`,
      ...Object.fromEntries(
        listening.map(([from, at]) => [from, typeof at === 'number' ? `http://127.0.0.1:${at}` : `unix:${at}`]),
      ),
    });
    for (const [index, [, at]] of listening.entries()) {
      gunicorns.push(await Gunicorn.start(folder, `instance-${index + 1}`, at, variables));
    }
    const portico = await PorticoProcess.serve(path, adminPort);
    const close = async (): Promise<void> => {
      await portico.stop();
      for (const gunicorn of gunicorns) await gunicorn.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    };
    return { origin: `http://127.0.0.1:${port}`, folder, gunicorns, portico, close };
  } catch (error) {
    for (const gunicorn of gunicorns) await gunicorn.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

export async function signIn(session: BrowserSession): Promise<void> {
  await session.get('/admin/login/');
  const answer = await session.post('/admin/login/', { ...administrator, next: '/admin/' });
  assert.equal(answer.status, 302, await answer.text());
}

/** Paths under /static/ that a page refers to. */
export function staticPathsIn(html: string): string[] {
  return [...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((match) => match[1] ?? '');
}

export async function uploadLargeFile(
  deployment: DjangoDeployment,
  megabytes: number,
): Promise<{ size: number; sha256: string; url: string }> {
  const session = new BrowserSession(deployment.origin);
  await session.get('/upload/');
  const answer = await uploadFile({
    url: `${deployment.origin}/upload/`,
    headers: { Cookie: session.cookieHeader(), Accept: 'application/json' },
    fields: { csrfmiddlewaretoken: session.cookie('csrftoken') },
    fileName: 'large.bin',
    megabytes,
  });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as { size: number; sha256: string; url: string };
}

export async function download(url: string): Promise<ContentFacts> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.ok(response.body);
  return factsOf(response.body);
}
