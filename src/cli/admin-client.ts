import { type IncomingMessage, request } from 'node:http';
import type { AdminListener, ListenAddress } from '../config/config.ts';
import { parseListenAddress } from '../config/listen-address.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { findConfigFile } from './config-lookup.ts';
import { UsageError } from './usage-error.ts';

/** The flags that say which running Portico is meant. */
export interface AdminFlags {
  readonly config?: string;
  readonly admin?: string;
}

/** Where the admin listener is, and what it asks for. */
type AdminPlace = ListenAddress & Pick<AdminListener, 'token'>;

/** What the admin listener answered. */
export interface AdminAnswer {
  readonly status: number;
  /** An object, also where the answer was no JSON. */
  readonly value: Readonly<Record<string, unknown>>;
}

const defaultAddress = '127.0.0.1:9180';
const timeoutMs = 15_000;
const maxAnswerBytes = 16 * 1024 ** 2;

/**
 * Where the admin listener of the running program is: as the flag says, or the configuration, or the default.
 * @throws UsageError when that cannot be known
 */
export async function adminAddressOf(flags: AdminFlags, folder: string): Promise<AdminPlace> {
  if (flags.admin !== undefined) return parsed(flags.admin);
  const path = flags.config ?? findConfigFile(folder);
  if (path === undefined) return parsed(defaultAddress);
  const loaded = await loadConfig({ kind: 'file', path, overrides: {} }, process.env);
  if (!loaded.ok) throw new UsageError(`${path} is not valid:\n${formatProblems(loaded.problems, { colour: false })}`);
  if (loaded.config.admin === undefined) throw new UsageError(`${path} has no admin listener (admin: off)`);
  return loaded.config.admin;
}

/**
 * Asks the admin listener.
 * @throws Error when nobody answers, with a message for people
 */
export async function askAdmin(
  address: AdminPlace,
  method: string,
  target: string,
  body?: object,
): Promise<AdminAnswer> {
  const place = reachable(address);
  const token = process.env['PORTICO_ADMIN_TOKEN'] ?? address.token;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = {
      ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    };
    const asking = request({ ...place, method, path: target, headers, agent: false, timeout: timeoutMs }, resolve);
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${timeoutMs / 1000} seconds`)));
    asking.on('error', (error) =>
      reject(new Error(`cannot reach the admin listener ${address.address}: ${error.message}`)),
    );
    asking.end(text);
  });
  return { status: response.statusCode ?? 0, value: await jsonOf(response) };
}

/** Why it did not do what it was asked, for people. */
export function refusalIn({ status, value: { error } }: AdminAnswer): string {
  return typeof error === 'string' ? error : `the admin listener answered ${status}`;
}

async function jsonOf(response: IncomingMessage): Promise<AdminAnswer['value']> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += (chunk as Buffer).length;
    if (length > maxAnswerBytes) throw new Error('the answer of the admin listener is too long');
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as AdminAnswer['value'];
  } catch {
    // Something else than Portico listens there; its status says enough.
  }
  return { error: `no JSON: ${text.slice(0, 200)}` };
}

/** Who listens on every address is reached on this machine. */
function reachable({ host, port, socket }: ListenAddress): { host: string; port: number } | { socketPath: string } {
  if (socket !== undefined) return { socketPath: socket.path };
  if (host === undefined || host === '0.0.0.0') return { host: '127.0.0.1', port };
  return { host: host === '::' ? '::1' : host, port };
}

function parsed(text: string): ListenAddress {
  const result = parseListenAddress(text, process.cwd());
  if ('value' in result) return result.value;
  throw new UsageError(`--admin: ${result.mistake.message}; expected ${result.mistake.allowed}`);
}
