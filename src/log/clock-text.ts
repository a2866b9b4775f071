const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Remembers the text of the current second, because thousands of lines share it. */
export function perSecond(format: (date: Date) => string): (time: number) => string {
  let second = Number.NaN;
  let text = '';
  return (time) => {
    const current = Math.floor(time / 1000);
    if (current !== second) {
      second = current;
      text = format(new Date(current * 1000));
    }
    return text;
  };
}

/** Local time as in the common log format: `22/Nov/2026:07:07:15 +0000`. NGINX: `$time_local`. */
export function commonLogTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  const day = `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`;
  return `${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

/** The seconds of an ISO 8601 time in UTC without fraction and zone: `2026-11-22T07:07:15`. */
export function isoSeconds(date: Date): string {
  return date.toISOString().slice(0, 19);
}

function two(value: number): string {
  return Math.floor(value).toString().padStart(2, '0');
}
