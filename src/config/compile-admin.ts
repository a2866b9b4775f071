import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { compileSocket } from './compile-socket.ts';
import type { AdminListener, ListenAddress } from './config.ts';
import type { Diagnosis } from './diagnosis.ts';
import { quote } from './finding.ts';
import { isLoopback, overlaps, parseListenAddress } from './listen-address.ts';
import type { ParsedConfig } from './schema.ts';

/** Addresses that are not routed on the internet (RFC 1918, 4193, 3927, 6598, 4291). */
const privateRanges: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'uniqueLocal',
  'linkLocal',
  'carrierGradeNat',
]);

/** @param isGiven whether the configuration says anything of it */
export function compileAdmin(
  { admin }: ParsedConfig,
  listen: readonly ListenAddress[],
  isGiven: boolean,
  diagnosis: Diagnosis,
): AdminListener | undefined {
  if (admin === false) return undefined;
  const path = ['admin', 'address'];
  const checked = parseListenAddress(admin.address, diagnosis.absolute('.'));
  if ('mistake' in checked) {
    diagnosis.report(path, checked.mistake);
    return undefined;
  }
  const clash = listen.find((address) => overlaps(address, checked.value));
  if (clash) {
    const [kind, place] = clash.socket === undefined ? ['port', `port ${clash.port}`] : ['socket', clash.address];
    const message = `the listener "${clash.address}" and the admin listener "${admin.address}" want the same ${kind}`;
    // The mistake stands where something was written: the admin address is often the default one.
    diagnosis.report(isGiven ? path : ['listen', listen.indexOf(clash)], {
      message,
      found: `${place} twice`,
      allowed: `another ${kind} for one of them`,
    });
  }
  checkReach(checked.value, admin, diagnosis);
  const { control, token } = admin;
  const address = compileSocket(checked.value, admin, ['admin'], diagnosis);
  return { ...address, control, ...(token === undefined ? {} : { token }) };
}

/** Metrics and status tell much, and control requests do much: strangers may come near neither by mistake. */
function checkReach(
  address: ListenAddress,
  { token, insecure, control }: Exclude<ParsedConfig['admin'], false>,
  diagnosis: Diagnosis,
): void {
  if (isLoopback(address) || token !== undefined) return;
  const text = address.address;
  if (!insecure && !isPrivate(address)) {
    diagnosis.report(['admin', 'address'], {
      message: `strangers may reach the admin listener on ${text}, which asks nobody who he is`,
      found: quote(text),
      allowed: 'an address of this machine or of a private network, a token beside it, or insecure: true',
    });
    return;
  }
  const what =
    control === 'all'
      ? 'metrics and status tell much, and control: all lets everybody change things'
      : 'metrics and status tell much';
  diagnosis.warn(`admin.address ${text} may be reached from other machines without a token: ${what}`);
}

/** Of a name nobody knows which addresses it will have. */
function isPrivate({ host }: ListenAddress): boolean {
  return host !== undefined && isIP(host) !== 0 && privateRanges.has(ipaddr.process(host).range());
}
