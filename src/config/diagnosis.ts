import { resolve } from 'node:path';
import type { Finding } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

/** Collects what a compilation finds wrong, so that all of it can be told at once. */
export class Diagnosis {
  readonly findings: Finding[] = [];
  readonly warnings: string[] = [];
  private readonly baseFolder: string;

  /** @param baseFolder what relative paths are relative to */
  constructor(baseFolder: string) {
    this.baseFolder = baseFolder;
  }

  absolute(path: string): string {
    return resolve(this.baseFolder, path);
  }

  report(path: KeyPath, mistake: Mistake): void {
    this.findings.push({ path, at: 'value', ...mistake });
  }

  reportKey(path: KeyPath, mistake: Mistake): void {
    this.findings.push({ path, at: 'key', ...mistake });
  }

  /** The same of several places, as of a certificate that two listeners have, is told once. */
  warn(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text);
  }
}

/** A mistake whose place the caller knows. */
export type Mistake = Pick<Finding, 'message' | 'found' | 'allowed' | 'suggestion'>;

/** What a parser of one value gives: the value, or the mistake in it. */
export type Checked<T> = { readonly value: T } | { readonly mistake: Mistake };
