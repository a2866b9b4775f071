const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// RFC 9110 section 5.6.7. The name of the day says nothing that the date does not: its value is not compared.
const imfFixdate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const rfc850Date =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const asctimeDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate). @param seconds Unix time; fractions are cut off */
export function formatHttpDate(seconds: number): string {
  // ECMAScript defines this form to be exactly the IMF-fixdate of RFC 9110 for years up to 9999.
  return new Date(Math.floor(seconds) * 1000).toUTCString();
}

/**
 * Reads any of the three forms that recipients must accept (RFC 9110 section 5.6.7).
 * @param nowSeconds decides the century of the two-digit years of RFC 850: never more than 50 years ahead
 * @returns Unix time in seconds, or undefined when it is no valid date
 */
export function parseHttpDate(value: string, nowSeconds: number): number | undefined {
  const imf = imfFixdate.exec(value);
  if (imf !== null) return toSeconds(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6]);
  const asctime = asctimeDate.exec(value);
  if (asctime !== null) return toSeconds(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]);
  const rfc850 = rfc850Date.exec(value);
  if (rfc850 === null) return undefined;
  const year = fullYear(Number(rfc850[3]), new Date(nowSeconds * 1000).getUTCFullYear());
  return toSeconds(String(year), rfc850[2], rfc850[1], rfc850[4], rfc850[5], rfc850[6]);
}

function fullYear(twoDigits: number, thisYear: number): number {
  const year = thisYear - (thisYear % 100) + twoDigits;
  if (year > thisYear + 50) return year - 100;
  // In the last decades of a century, a small number is a year of the next one.
  return year + 100 <= thisYear + 50 ? year + 100 : year;
}

function toSeconds(
  year: string | undefined,
  monthName: string | undefined,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
): number | undefined {
  const month = months.indexOf(monthName ?? '');
  if (month < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), month, Number(day));
  // 31 February would roll over into March.
  if (date.getUTCMonth() !== month || date.getUTCDate() !== Number(day)) return undefined;
  // A leap second (:60) counts as the second before it.
  date.setUTCHours(Number(hour), Number(minute), Math.min(Number(second), 59));
  return date.getTime() / 1000;
}
