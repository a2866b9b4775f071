import { performance } from 'node:perf_hooks';
import { requestCookie } from '../http/cookie.ts';
import type { RequestContext } from '../request/request-context.ts';
import { PorticoError } from '../response/portico-error.ts';
import { responseHead, serializeFields } from '../response/response-head.ts';
import type { Authorizer, AuthorizerAnswer } from './authorizer.ts';
import { type Answer, type Gate, PendingVerdict, type Verdict } from './gate.ts';
import type { Refusals } from './refusals.ts';
import { ResponseFieldsExchange } from './response-fields-exchange.ts';
import type { VerifiedCache } from './verified-cache.ts';

/** Authentication by another service. */
export interface ForwardConfig {
  readonly url: string;
  /** Names in lower case of the client's fields that the service gets. */
  readonly passHeaders: readonly string[];
  /** Names of the fields of its answer that the application gets. */
  readonly copyHeaders: readonly string[];
  /** Names in lower case of the fields of its answer that the client gets with the response. */
  readonly clientHeaders: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
  /** How long an answer of 2xx counts for the same question, milliseconds; 0 for this request only. */
  readonly cacheFor: number;
  /** What makes two questions the same; undefined: everything that the service gets. */
  readonly cacheBy: readonly CacheKeyPart[] | undefined;
}

export type CacheKeyPart =
  | 'method'
  | 'host'
  | 'uri'
  | 'address'
  | { readonly header: string }
  | { readonly cookie: string };

/** What the gates of several routes share that ask the same service. */
export interface SharedForward {
  readonly authorizer: Authorizer;
  readonly passed: VerifiedCache<PassedFields>;
}

/** What comes with a request that may pass. */
export interface PassedFields {
  /** `Name: value\r\n` lines for the application. */
  readonly requestFields: string;
  /** `\r\nname: value` lines for the client. */
  readonly responseFields: Buffer;
}

/** Fields of an answer that do not reach the client: framing, and what is only for Portico. */
const notForClients = new Set(
  'connection,keep-alive,proxy-connection,proxy-authenticate,te,trailer,transfer-encoding,upgrade,content-length,date,server'.split(
    ',',
  ),
);

/** Lets requests pass that another service lets pass; when it cannot be asked, none. */
export class ForwardGate implements Gate {
  readonly #config: ForwardConfig;
  readonly #shared: SharedForward;
  readonly #refusals: Refusals;

  constructor(config: ForwardConfig, shared: SharedForward, refusals: Refusals) {
    this.#config = config;
    this.#shared = shared;
    this.#refusals = refusals;
  }

  ask(context: RequestContext): PendingVerdict | undefined {
    const { cacheFor } = this.#config;
    const question = this.#question(context);
    const { authorizer, passed } = this.#shared;
    const name = cacheFor === 0 ? undefined : passed.nameOf(...this.#identity(context, question));
    const known = name === undefined ? undefined : passed.get(name, performance.now());
    if (known !== undefined) {
      apply(known, context);
      return undefined;
    }
    const pending = new PendingVerdict();
    pending.onCancelled = authorizer.ask(question, (answer) => {
      if (answer instanceof Error || !passes(answer)) return pending.settle(this.#refusal(answer));
      const fields = this.#fieldsOf(answer);
      if (name !== undefined && mayBeKept(answer)) passed.set(name, fields, performance.now() + cacheFor);
      apply(fields, context);
      pending.settle(undefined);
    });
    return pending;
  }

  /** The fields of the request to the service. */
  #question(context: RequestContext): Record<string, string> {
    const { client, exchange } = context;
    const { head } = exchange;
    const fields: Record<string, string> = {
      'X-Forwarded-Method': head.method,
      'X-Forwarded-Uri': head.target,
      'X-Forwarded-Host': client?.host ?? head.host,
      'X-Forwarded-Proto': client?.scheme ?? 'http',
      'X-Forwarded-For': client?.address ?? '',
      'X-Request-Id': context.requestId,
    };
    for (const name of this.#config.passHeaders) {
      const values = head.fields.all(name);
      if (values.length > 0) fields[name] = values.join(name === 'cookie' ? '; ' : ', ');
    }
    return fields;
  }

  /** What the question is remembered by. */
  #identity(context: RequestContext, question: Readonly<Record<string, string>>): string[] {
    const { cacheBy } = this.#config;
    if (cacheBy !== undefined) return cacheBy.map((part) => keyPart(part, context));
    // The id is another one each time, and nothing that anybody decides by.
    return Object.entries(question).flatMap(([name, value]) => (name === 'X-Request-Id' ? [] : [name, value]));
  }

  #fieldsOf({ rawFields }: AuthorizerAnswer): PassedFields {
    const { copyHeaders, clientHeaders } = this.#config;
    let requestFields = '';
    for (const name of copyHeaders) {
      const values = pairs(rawFields).filter(([one]) => one.toLowerCase() === name.toLowerCase());
      if (values.length > 0) requestFields += `${name}: ${values.map(([, value]) => value).join(', ')}\r\n`;
    }
    const forClient = pairs(rawFields).filter(([name]) => clientHeaders.includes(name.toLowerCase()));
    return { requestFields, responseFields: serializeFields(forClient) };
  }

  #refusal(answer: AuthorizerAnswer | Error): Verdict {
    if (answer instanceof Error || answer.status >= 500 || answer.status < 200) {
      const options = answer instanceof Error ? { cause: answer } : {};
      const detail =
        answer instanceof Error ? `it could not be asked: ${answer.message}` : `it answered ${answer.status}`;
      return this.#refusals.refuse('forward_failed', new PorticoError('authorizer_failed', detail, options));
    }
    this.#refusals.count('forward');
    return responseOf(answer);
  }
}

function passes({ status }: AuthorizerAnswer): boolean {
  return status >= 200 && status < 300;
}

function mayBeKept({ rawFields }: AuthorizerAnswer): boolean {
  return !pairs(rawFields).some(([name, value]) => /^cache-control$/i.test(name) && /no-store|no-cache/i.test(value));
}

function apply({ requestFields, responseFields }: PassedFields, context: RequestContext): void {
  context.requestFields += requestFields;
  if (responseFields.length === 0) return;
  const plan = { missing: [], removed: [], added: responseFields };
  context.exchange = new ResponseFieldsExchange(context.exchange, plan);
}

/** What the service says to the client, such as the way to its login. */
function responseOf({ status, rawFields, body }: AuthorizerAnswer): Answer {
  const fields = pairs(rawFields).filter(
    ([name]) => !notForClients.has(name.toLowerCase()) && !/^x-accel-/i.test(name),
  );
  return { give: ({ exchange }) => exchange.respond(responseHead(status, fields), body) };
}

function keyPart(part: CacheKeyPart, { client, exchange }: RequestContext): string {
  const { head } = exchange;
  switch (part) {
    case 'method':
      return head.method;
    case 'host':
      return client?.host ?? head.host;
    case 'uri':
      return head.target;
    case 'address':
      return client?.address ?? '';
    default: {
      const value = 'header' in part ? head.fields.list(part.header) : requestCookie(head.fields, part.cookie);
      // None is something else than an empty one.
      return value === undefined ? '-' : `+${value}`;
    }
  }
}

function pairs(rawFields: readonly string[]): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < rawFields.length; index += 2)
    found.push([rawFields[index] as string, rawFields[index + 1] as string]);
  return found;
}
