import type { Certificate } from '../tls/certificate.ts';
import type { Diagnosis } from './diagnosis.ts';

const dayMs = 86_400_000;
/** Whoever has certificates renewed by a program has them renewed before: a third of 90 days is 30. */
const soonDays = 21;

/** Warns of a certificate that is out of its time, or will be soon. */
export function warnOfValidity({ files, notAfter, notBefore }: Certificate, diagnosis: Diagnosis): void {
  const { certificate } = files;
  const now = Date.now();
  const days = Math.floor((notAfter - now) / dayMs);
  if (notAfter <= now) diagnosis.warn(`${certificate}: it expired on ${dayOf(notAfter)}`);
  else if (days < soonDays)
    diagnosis.warn(`${certificate}: it expires on ${dayOf(notAfter)}, in ${days} ${days === 1 ? 'day' : 'days'}`);
  if (notBefore > now) diagnosis.warn(`${certificate}: it is valid from ${dayOf(notBefore)} on only`);
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
