import { randomBytes } from 'node:crypto';
import fs from 'node:fs';

/** How often the owner says that it lives, and after what silence it does not. */
export const heartbeatMs = 5_000;
const silenceMs = 20_000;

/** Who has a folder. */
interface Owner {
  readonly pid: number;
  /** When the process began, as the kernel counts it; '' where it does not say. A number is used again by another process. */
  readonly started: string;
  /** The machine since its start, and its space of process numbers: containers have one each. */
  readonly place: string;
  readonly nonce: string;
}

/**
 * The right of one instance to a zone's folder: a file that says who has it. A dead owner in the same space of process numbers
 * is known to be dead at once; one elsewhere (another container with the same volume) by its silence. The kernel's own locks
 * would be simpler; Node.js has none of them.
 */
export class FolderLock {
  private readonly folder: string;
  private readonly path: string;
  private readonly text: string;

  constructor(folder: string) {
    this.folder = folder;
    this.path = `${folder}/lock`;
    this.text = JSON.stringify({ ...thisProcess(), nonce: randomBytes(8).toString('hex') } satisfies Owner);
  }

  /**
   * Takes the folder, which is made where it is missing.
   * @returns who has it, in words; undefined when this instance has it now
   * @throws as node:fs does, when the folder cannot be used
   */
  acquire(): string | undefined {
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    if (this.create()) return undefined;
    const found = this.read();
    if (found === this.text) return undefined;
    const holder = found === undefined ? undefined : holderOf(found, this.path);
    if (holder !== undefined) return holder;
    if (found !== undefined) this.takeAway(found);
    return this.create() ? undefined : 'another instance, which was faster';
  }

  /**
   * Says that the owner lives.
   * @returns whether the folder is still this instance's: as it was, or made anew because somebody had removed it
   * @throws as node:fs does
   */
  refresh(): 'kept' | 'remade' | 'lost' {
    if (this.read() !== this.text) return this.acquire() === undefined ? 'remade' : 'lost';
    const now = Date.now() / 1000;
    fs.lutimesSync(this.path, now, now);
    return 'kept';
  }

  /** Never throws. */
  release(): void {
    try {
      if (this.read() === this.text) fs.unlinkSync(this.path);
    } catch {
      // It is known for dead by its process, or its silence.
    }
  }

  /** With everything in it at once: nobody reads half a lock. */
  private create(): boolean {
    const draft = `${this.path}.${process.pid}.${randomBytes(4).toString('hex')}`;
    fs.writeFileSync(draft, this.text, { flag: 'wx', mode: 0o600 });
    try {
      fs.linkSync(draft, this.path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    } finally {
      fs.unlinkSync(draft);
    }
  }

  private read(): string | undefined {
    try {
      return fs.readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Of two who do that at once the second may get hold of the lock of the first: then it goes back. */
  private takeAway(dead: string): void {
    const aside = `${this.path}.${process.pid}.dead`;
    try {
      fs.renameSync(this.path, aside);
      if (fs.readFileSync(aside, 'utf8') !== dead) fs.linkSync(aside, this.path);
      fs.unlinkSync(aside);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    }
  }
}

/** Who has the lock, in words; undefined when nobody lives who has. */
function holderOf(text: string, path: string): string | undefined {
  const owner = parse(text);
  if (owner === undefined) return undefined;
  const here = thisProcess();
  if (owner.place !== here.place) {
    const silentMs = Date.now() - fs.statSync(path).mtimeMs;
    return silentMs < silenceMs ? `process ${owner.pid} of another machine or container` : undefined;
  }
  return isAlive(owner.pid) && startOf(owner.pid) === owner.started ? `process ${owner.pid}` : undefined;
}

function parse(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner>;
    return typeof owner.pid === 'number' && owner.pid > 0 ? (owner as Owner) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function thisProcess(): Omit<Owner, 'nonce'> {
  const { pid } = process;
  const boot = readText('/proc/sys/kernel/random/boot_id', (path) => fs.readFileSync(path, 'utf8').trim());
  const space = readText('/proc/self/ns/pid', (path) => fs.readlinkSync(path));
  return { pid, started: startOf(pid), place: `${boot} ${space}` };
}

/** Field 22 of proc(5)'s stat; the name in field 2 may hold spaces and parentheses. */
function startOf(pid: number): string {
  return readText(`/proc/${pid}/stat`, (path) => {
    const text = fs.readFileSync(path, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });
}

function readText(path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch {
    return '';
  }
}
