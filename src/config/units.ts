import { z } from 'zod';

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;

const durationForm = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const sizeForm = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB)$/;

/** A length of time in the file (`1500ms`, `30s`, `5m`, `1h`, `1d`), milliseconds in the program. */
export function duration(bounds: { min?: number; max?: number } = {}) {
  return z
    .string({ error: 'expected a duration such as 500ms, 30s or 5m' })
    .regex(durationForm, { error: 'expected a duration such as 500ms, 30s or 5m' })
    .transform((text, context) => {
      const [, amount, unit] = durationForm.exec(text) as unknown as [string, string, keyof typeof durationUnits];
      const milliseconds = Math.round(Number(amount) * durationUnits[unit]);
      const { min = 0, max = 2 ** 31 - 1 } = bounds;
      if (milliseconds < min || milliseconds > max) {
        context.addIssue({ code: 'custom', message: `expected from ${formatDuration(min)} to ${formatDuration(max)}` });
      }
      return milliseconds;
    });
}

/** An amount of bytes in the file (`512B`, `64KB`, `1GB`; multiples of 1024), a number of bytes in the program. */
export function size(bounds: { min?: number; max?: number } = {}) {
  return z
    .string({ error: 'expected a size such as 512B, 64KB or 1GB' })
    .regex(sizeForm, { error: 'expected a size such as 512B, 64KB or 1GB' })
    .transform((text, context) => {
      const [, amount, unit] = sizeForm.exec(text) as unknown as [string, string, keyof typeof sizeUnits];
      const bytes = Math.round(Number(amount) * sizeUnits[unit]);
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
      if (bytes < min || bytes > max) {
        context.addIssue({ code: 'custom', message: `expected from ${formatSize(min)} to ${formatSize(max)}` });
      }
      return bytes;
    });
}

/** `90000` as `90s`: the largest unit that divides it. */
export function formatDuration(milliseconds: number): string {
  return inLargestUnit(milliseconds, durationUnits);
}

/** `65536` as `64KB`: the largest unit that divides it. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, sizeUnits);
}

function inLargestUnit(amount: number, units: Record<string, number>): string {
  let best = `${amount}${Object.keys(units)[0]}`;
  if (amount === 0) return best;
  for (const [unit, factor] of Object.entries(units)) {
    if (amount % factor === 0) best = `${amount / factor}${unit}`;
  }
  return best;
}
