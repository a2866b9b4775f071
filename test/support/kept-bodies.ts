import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BufferingMetrics, type BufferingResources } from '../../src/proxy/buffering.ts';
import { SpoolDirectory } from '../../src/spool/spool-directory.ts';
import { ReadBufferPool } from '../../src/static/read-buffer-pool.ts';
import { FailingSpoolDisk } from './failing-spool-disk.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';

/** What bodies are kept in, in a temporary folder, on a disk that fails as it is told. */
export class KeptBodies implements BufferingResources {
  readonly folder = mkdtempSync(join(tmpdir(), 'portico-spool-test-'));
  readonly disk = new FailingSpoolDisk();
  readonly recorder = new FakeRecorder();
  readonly logger = new RecordingLogger();
  readonly spool: SpoolDirectory;
  readonly memory: ReadBufferPool;
  readonly requests = new BufferingMetrics(this.recorder, 'request');
  readonly responses = new BufferingMetrics(this.recorder, 'response');

  constructor(limits: { readonly size?: number; readonly memory?: number } = {}) {
    const { size = 1024 ** 3, memory = 8 * 1024 ** 2 } = limits;
    this.spool = new SpoolDirectory({ directory: this.folder, size }, this.recorder, this.logger, this.disk);
    this.memory = new ReadBufferPool(memory, this.recorder, 2000);
  }

  /** Whether nothing is held any more: no memory, no budget. */
  get isEmpty(): boolean {
    return this.memory.lent === 0 && this.spool.budget.used === 0;
  }

  /** Names in the folder: there should never be one. */
  get names(): string[] {
    return readdirSync(this.folder);
  }

  close(): void {
    this.spool.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
