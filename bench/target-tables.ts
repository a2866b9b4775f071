import { markdownTable } from './markdown-table.ts';
import type { SampleStore } from './sample-store.ts';
import { median } from './statistics.ts';
import { boundTargets, figure, type RatioTarget, ratioTargets } from './targets.ts';

const cost = 'microsecondsPerUnit';

/** Names of rows and servers as a reader sees them. */
export interface Titles {
  row(name: string): string;
  server(name: string): string;
}

/** Each work against the rival that it is held against, with what is demanded and whether it is met. */
export function ratioTargetTable(store: SampleStore, titles: Titles): string {
  const rows = ratioTargets.map((target) => {
    const { row, rival, must } = target;
    const ratio = store.median(row, 'portico', cost) / store.median(row, rival, cost);
    const aim = aimOf(store, target);
    return [
      titles.row(row),
      figure(store.median(row, 'portico', cost), 1),
      `${titles.server(rival)} ${figure(store.median(row, rival, cost), 1)}`,
      `${figure(ratio, 2)}${ratioRange(store, row, rival)}`,
      `≤ ${must.toFixed(2)}`,
      aimText(target, aim, titles),
      Number.isFinite(ratio) ? verdict(ratio, must, aim) : missing(store, row, rival),
    ];
  });
  return markdownTable(['work', 'Portico, µs', 'rival, µs', 'Portico ÷ rival', 'must', 'aim', ''], rows);
}

/** The other demands, each one figure. */
export function boundTargetTable(store: SampleStore): string {
  const rows = boundTargets.map((target) => {
    const found = target.find(store);
    return [
      target.title,
      target.from(store),
      Number.isFinite(found) ? `${figure(found, target.digits)}${target.unit}` : '–',
      `≤ ${Number(target.must.toFixed(3))}${target.unit}`,
      Number.isFinite(found) ? verdict(found, target.must, undefined) : 'not measured',
    ];
  });
  return markdownTable(['', 'measured', 'found', 'must', ''], rows);
}

function aimOf(store: SampleStore, { row, rival, aim }: RatioTarget): number | undefined {
  if (typeof aim !== 'object') return aim;
  const wanted = store.median(row, aim.server, cost) / store.median(row, rival, cost);
  return Number.isFinite(wanted) ? wanted : undefined;
}

function aimText({ aim }: RatioTarget, value: number | undefined, titles: Titles): string {
  if (typeof aim !== 'object') return aim === undefined ? '' : `≤ ${aim.toFixed(2)}`;
  return `≤ ${titles.server(aim.server)} (${figure(value, 2)})`;
}

/** Lowest and highest ratio of a round. */
function ratioRange(store: SampleStore, row: string, rival: string): string {
  const rivals = store.values(row, rival, cost);
  const ratios = store.values(row, 'portico', cost).flatMap((own, round) => own / (rivals[round] ?? Number.NaN));
  const known = ratios.filter(Number.isFinite);
  return known.length < 2 ? '' : ` (${Math.min(...known).toFixed(2)}–${Math.max(...known).toFixed(2)})`;
}

function verdict(found: number, must: number, aim: number | undefined): string {
  if (aim !== undefined && found <= Math.min(aim, must)) return 'met, and the aim';
  return found <= must ? 'met' : '**missed**';
}

function missing(store: SampleStore, row: string, rival: string): string {
  const why = store.problem(row, 'portico') ?? store.problem(row, rival) ?? store.facts.absent[rival];
  return why === undefined ? 'not measured' : `not measured: ${why}`;
}

/** Middle, lowest and highest of the rounds. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const middle = median(values);
  const digits = middle < 100 ? 1 : 0;
  if (values.length === 1) return figure(middle, digits);
  return `${figure(middle, digits)} (${figure(Math.min(...values), digits)}–${figure(Math.max(...values), digits)})`;
}
