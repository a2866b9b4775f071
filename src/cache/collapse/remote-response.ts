import type { FollowedResponse } from '../../ipc/message.ts';
import type { CacheUse } from '../cache-use.ts';
import { mayAnswerWaiting } from '../policy/reuse.ts';
import { evaluateClientConditions } from '../policy/validation.ts';
import { variantOf } from '../policy/variant.ts';
import { RequestTrait } from '../request-field.ts';
import { BodyReader } from './body-reader.ts';
import type { BodySource } from './body-source.ts';
import { FollowedFile } from './followed-file.ts';

/** A response that another worker gets, read along from the file that it grows in. */
export class RemoteResponse implements BodySource {
  received: number;
  readonly length: number | undefined;
  complete = false;
  private readonly followed: FollowedResponse;
  private readonly opened: FollowedFile;
  private readonly readers = new Map<BodyReader, CacheUse>();
  private isClosed = false;

  private constructor(followed: FollowedResponse, file: FollowedFile) {
    this.followed = followed;
    this.opened = file;
    this.received = followed.written;
    this.length = followed.length;
  }

  /** @returns undefined when the file is gone */
  static open(followed: FollowedResponse): RemoteResponse | undefined {
    const file = FollowedFile.open(followed.file);
    return file === undefined ? undefined : new RemoteResponse(followed, file);
  }

  /** @returns false when that request cannot get this response, or has to wait for the whole of it */
  attach(use: CacheUse): boolean {
    const { response, varyNames } = this.followed;
    if (this.isClosed || (use.traits & RequestTrait.range) !== 0) return false;
    const { head } = use.exchange;
    const { answer, rules } = use.route;
    if (variantOf(varyNames, head.fields, rules.normalizeVary) !== response.variant) {
      use.route.goOn(use, { key: response.key, names: varyNames, requestTime: response.requestTime });
      return true;
    }
    const now = Date.now();
    if (!mayAnswerWaiting(response, head, rules, now)) {
      use.exchange.onAborted = undefined;
      use.route.alone(use, false);
      return true;
    }
    const outcome = { hit: false, forwarded: use.forwarded, collapsed: true } as const;
    const heads = answer.headsOf({ ...response, bodyLength: 0 });
    use.collapsed = true;
    use.route.counted(use);
    if (
      (use.traits & RequestTrait.validation) !== 0 &&
      evaluateClientConditions(response, head.fields, now / 1000) === 'not-modified'
    ) {
      use.exchange.onAborted = undefined;
      use.exchange.respondHead(heads.notModified(now, outcome), undefined);
      return true;
    }
    const reader = new BodyReader(use.exchange, heads.whole(now, outcome), this, use.route.buffers);
    this.readers.set(reader, use);
    use.exchange.onAborted = () => reader.close();
    reader.begin();
    reader.proceed();
    return true;
  }

  get readerCount(): number {
    return this.readers.size;
  }

  progressed(written: number, complete: boolean): void {
    this.received = Math.max(this.received, written);
    this.complete ||= complete;
    for (const reader of this.readers.keys()) reader.proceed();
    if (this.complete && this.readers.size === 0) this.close();
  }

  /** It will not be completed. */
  abort(): void {
    if (this.complete) return;
    for (const reader of this.readers.keys()) reader.cut();
    this.close();
  }

  held(): undefined {
    return undefined;
  }

  get file(): FollowedFile {
    return this.opened;
  }

  get inFile(): number {
    return this.received;
  }

  left(reader: object): void {
    this.readers.delete(reader as BodyReader);
    if (this.complete && this.readers.size === 0) this.close();
  }

  moved(): void {}

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.opened.leave();
  }
}
