import { z } from 'zod';
import { keyFacts } from './key-facts.ts';

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;

const durationForm = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const sizeForm = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB)$/;

/** Timers of Node.js hold a signed number of 32 bits of milliseconds: a little more than 24 days. */
const longestDurationMs = 24 * durationUnits.d;
/** What a number holds exactly is 8 PB; this is a round bound below it. */
const largestSizeBytes = 1024 * sizeUnits.TB;

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * A length of time in the file (`1500ms`, `30s`, `5m`, `1h`, `1d`), milliseconds in the program.
 *
 * @param bounds in milliseconds
 */
export function duration(bounds: Bounds = {}) {
  return quantity({
    kind: 'a duration',
    examples: '500ms, 30s or 5m',
    form: durationForm,
    units: durationUnits,
    format: formatDuration,
    most: longestDurationMs,
    bounds,
  });
}

/**
 * An amount of bytes in the file (`512B`, `64KB`, `1GB`; multiples of 1024), a number of bytes in the program.
 *
 * @param bounds in bytes
 */
export function size(bounds: Bounds = {}) {
  return quantity({
    kind: 'a size',
    examples: '512B, 64KB or 1GB',
    form: sizeForm,
    units: sizeUnits,
    format: formatSize,
    most: largestSizeBytes,
    bounds,
  });
}

interface QuantityOptions {
  readonly kind: string;
  readonly examples: string;
  readonly form: RegExp;
  readonly units: Readonly<Record<string, number>>;
  readonly format: (amount: number) => string;
  /** The bound where none is stated. */
  readonly most: number;
  readonly bounds: Bounds;
}

function quantity(options: QuantityOptions) {
  const { kind, form, units, format, most, bounds } = options;
  const { min = 0, max = most } = bounds;
  const schema = z
    .string()
    .regex(form)
    .transform((text, context) => {
      const [, digits = '', unit = ''] = form.exec(text) ?? [];
      const total = Math.round(Number(digits) * (units[unit] ?? Number.NaN));
      if (total >= min && total <= max) return total;
      const allowed = `${kind} from ${format(min)} to ${format(max)}`;
      context.addIssue({ code: 'custom', message: 'out of range', params: { allowed } });
      return z.NEVER;
    });
  return schema.register(keyFacts, { allowed: describeQuantity(options) });
}

function describeQuantity({ kind, examples, format, bounds }: QuantityOptions): string {
  const { min, max } = bounds;
  if (min !== undefined && max !== undefined) return `${kind} from ${format(min)} to ${format(max)}`;
  if (min !== undefined) return `${kind} of at least ${format(min)}`;
  if (max !== undefined) return `${kind} of at most ${format(max)}`;
  return `${kind} such as ${examples}`;
}

/** `90000` as `90s`: the largest unit that divides it. */
export function formatDuration(milliseconds: number): string {
  return inLargestUnit(milliseconds, durationUnits);
}

/** `65536` as `64KB`: the largest unit that divides it. */
export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, sizeUnits);
}

function inLargestUnit(amount: number, units: Readonly<Record<string, number>>): string {
  let best = `${amount}${Object.keys(units)[0]}`;
  if (amount === 0) return best;
  for (const [unit, factor] of Object.entries(units)) {
    if (amount % factor === 0) best = `${amount / factor}${unit}`;
  }
  return best;
}
