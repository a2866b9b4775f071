import fs from 'node:fs';

/** Says how many bytes were read; 0 when the file could not be read. */
export type FollowedRead = (bytesRead: number) => void;

/**
 * A file that a response is being stored in, read along by those who wait for it. It stays readable when it got its final
 * name, and when it was removed. Closed when the last who uses it has gone.
 */
export class FollowedFile {
  private readonly fd: number;
  private readonly bodyOffset: number;
  private users = 1;
  private reading = 0;

  private constructor(fd: number, bodyOffset: number) {
    this.fd = fd;
    this.bodyOffset = bodyOffset;
  }

  /**
   * Opens at once: it was made a moment ago, so that nothing of it has to be waited for.
   * @returns undefined when it is gone
   */
  static open({ path, bodyOffset }: { readonly path: string; readonly bodyOffset: number }): FollowedFile | undefined {
    try {
      return new FollowedFile(fs.openSync(path, 'r'), bodyOffset);
    } catch {
      return undefined;
    }
  }

  /** @param position within the body */
  read(memory: Buffer, length: number, position: number, done: FollowedRead): void {
    this.reading++;
    fs.read(this.fd, memory, 0, length, this.bodyOffset + position, (error, bytesRead) => {
      this.reading--;
      if (this.users === 0 && this.reading === 0) this.close();
      done(error === null ? bytesRead : 0);
    });
  }

  use(): this {
    this.users++;
    return this;
  }

  /** One user less. */
  leave(): void {
    this.users--;
    if (this.users === 0 && this.reading === 0) this.close();
  }

  private close(): void {
    // Nothing was written, so a failing close loses nothing.
    fs.close(this.fd, () => {});
  }
}
