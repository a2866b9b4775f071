import { parseCacheControl } from '../../http/cache-control.ts';
import type { HeaderFields } from '../../http/header-fields.ts';
import { parseStructuredDictionary, type StructuredItem } from '../../http/structured-dictionary.ts';
import type { SaidDirective } from './response-directives.ts';

/** The directives of a field that is meant for caches like this one. */
export interface TargetedDirectives {
  readonly source: 'CDN-Cache-Control' | 'Surrogate-Control';
  readonly directives: readonly SaidDirective[];
}

/**
 * The first field of the target list that is valid and not empty: CDN-Cache-Control (RFC 9213), then Surrogate-Control
 * (Edge Architecture 1.0, as servers send it today: Cache-Control's directives).
 */
export function targetedDirectives(fields: HeaderFields): TargetedDirectives | undefined {
  const targeted = fields.list('cdn-cache-control');
  if (targeted !== undefined) {
    const members = parseStructuredDictionary(targeted);
    if (members !== undefined && members.size > 0) {
      return { source: 'CDN-Cache-Control', directives: [...members].map(fromMember) };
    }
  }
  const surrogate = fields.list('surrogate-control');
  if (surrogate === undefined) return undefined;
  const directives = parseCacheControl(surrogate);
  // What it says of page assembly alone (`content="ESI/1.0"`) says nothing about storing.
  const ofStoring = directives.filter(({ name }) => name !== 'content');
  return ofStoring.length === 0 ? undefined : { source: 'Surrogate-Control', directives: ofStoring };
}

/** Directives whose value is a list of field names. */
const qualifiable: ReadonlySet<string> = new Set(['private', 'no-cache']);

/**
 * RFC 9213 section 2.1: no value is a Boolean, a quoted-string a String, a token a Token or a number. What has another type
 * than the directive's value is malformed, which makes `private` and `no-cache` unqualified and lifetimes 0.
 */
function fromMember([name, item]: [string, StructuredItem]): SaidDirective {
  switch (item.type) {
    case 'boolean':
      // `?0` says that a directive does not hold: under a name that means nothing, because none begins with a blank.
      return { name: item.value ? name : ` ${name}`, value: undefined, malformed: false };
    case 'integer':
      return { name, value: String(item.value), malformed: false };
    case 'token':
      return { name, value: item.value, malformed: false };
    case 'string':
      return { name, value: item.value, malformed: !qualifiable.has(name) };
    default:
      return { name, value: undefined, malformed: true };
  }
}
