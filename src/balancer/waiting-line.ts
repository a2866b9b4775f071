/** What stands in a line. */
export interface Waiting {
  /** `performance.now()` when it began to wait; kept over tries, so that it gets back to where it was. */
  waitingSince: number | undefined;
  /** Its neighbours; the line's. */
  place: Place<Waiting> | undefined;
}

interface Place<W> {
  readonly one: W;
  before: Place<W> | undefined;
  after: Place<W> | undefined;
}

/** Requests that wait, first come first served. Joining at the end and leaving from anywhere take the same time however long it is. */
export class WaitingLine<W extends Waiting> {
  size = 0;
  private head: Place<Waiting> | undefined;
  private tail: Place<Waiting> | undefined;

  get first(): W | undefined {
    return this.head?.one as W | undefined;
  }

  /** Takes a place behind all that have waited as long. */
  join(one: W, now: number): void {
    const since = (one.waitingSince ??= now);
    let before = this.tail;
    while (before !== undefined && (before.one.waitingSince as number) > since) before = before.before;
    const after = before === undefined ? this.head : before.after;
    const place: Place<Waiting> = { one, before, after };
    one.place = place;
    if (before === undefined) this.head = place;
    else before.after = place;
    if (after === undefined) this.tail = place;
    else after.before = place;
    this.size++;
  }

  /** @returns whether it stood there */
  leave(one: W): boolean {
    const { place } = one;
    if (place === undefined) return false;
    one.place = undefined;
    if (place.before === undefined) this.head = place.after;
    else place.before.after = place.after;
    if (place.after === undefined) this.tail = place.before;
    else place.after.before = place.before;
    this.size--;
    return true;
  }

  /** Those who stand in it now, in order; they may leave meanwhile. */
  all(): W[] {
    const all: W[] = [];
    for (let place = this.head; place !== undefined; place = place.after) all.push(place.one as W);
    return all;
  }
}
