import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { UwsModule } from './uws-api.ts';

/** The uWebSockets.js build that runs. */
export interface LoadedUws {
  readonly module: UwsModule;
  /** `20.69.0` */
  readonly version: string;
  /** Whether it is the older build, with defects that the engine works around; worth a warning at start. */
  readonly compatibility: boolean;
  /** `uWebSockets.js 20.69.0` */
  readonly name: string;
}

interface Build {
  /** Name under which package.json installs it. */
  readonly alias: string;
  readonly compatibility: boolean;
}

/** What choosing a build depends on; tests give their own. */
export interface UwsPlatform {
  readonly nodeVersion: string;
  /** For the message: `glibc 2.36`. Asked for when there is one only, because finding out takes milliseconds. */
  readonly cLibrary: () => string;
  /** @throws when the build cannot be loaded here */
  load(alias: string): { module: UwsModule; version: string };
}

const currentBuild: Build = { alias: 'uws-20.69', compatibility: false };
const compatibilityBuild: Build = { alias: 'uws-20.51', compatibility: true };

/**
 * Loads the newest uWebSockets.js build that this machine can run. The largest request header is read from the environment
 * (`UWS_HTTP_MAX_HEADERS_SIZE`, bytes) at that moment, so it must be set before.
 * @throws Error that says what to do, when no build loads
 */
export function loadUws(platform: UwsPlatform = thisPlatform()): LoadedUws {
  const failures: string[] = [];
  for (const build of buildsFor(platform.nodeVersion)) {
    try {
      const { module, version } = platform.load(build.alias);
      return { module, version, compatibility: build.compatibility, name: `uWebSockets.js ${version}` };
    } catch (error) {
      failures.push(`  ${build.alias}: ${lastLine(error)}`);
    }
  }
  throw new Error(
    `No build of uWebSockets.js runs here: Node.js ${platform.nodeVersion}, ${platform.cLibrary()}, ${process.platform}-${process.arch}.\n` +
      `${failures.join('\n')}\n` +
      'The current build needs Node.js 22, 24 or 26 and glibc 2.38 (Debian 13, Ubuntu 24.04); the compatibility build needs Node.js 20 or 22 and any glibc ' +
      'of the last years. Alpine (musl) has none. After a change of the Node.js version run `npm install` again, because npm picks binaries by it.',
  );
}

function buildsFor(nodeVersion: string): readonly Build[] {
  const major = Number.parseInt(nodeVersion, 10);
  // The current build must not even be tried on Node 20: its JavaScript finds and wraps the older build's binary.
  if (major < 22) return [compatibilityBuild];
  if (major < 24) return [currentBuild, compatibilityBuild];
  return [currentBuild];
}

function thisPlatform(): UwsPlatform {
  return { nodeVersion: process.versions.node, cLibrary: describeCLibrary, load: loadAlias };
}

function loadAlias(alias: string): { module: UwsModule; version: string } {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(alias);
  const version = packageVersion(entry);
  const binaryPackage = `@uwsjs/${process.platform}-${process.arch}-${process.versions.node.split('.')[0]}`;
  const binary = packageVersion(createRequire(entry).resolve(binaryPackage));
  // A build whose own binary npm left out resolves the other build's, hoisted beside it.
  if (binary !== version) throw new Error(`its binary is not installed, ${binary} was found in its place`);
  return { module: require(alias) as UwsModule, version };
}

function packageVersion(entry: string): string {
  const manifest = JSON.parse(readFileSync(join(dirname(entry), 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

function describeCLibrary(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const version = report.header?.glibcVersionRuntime;
  return version === undefined ? 'not glibc' : `glibc ${version}`;
}

/** The part of a loader's message that says what is wrong: the last line, without the require stack. */
function lastLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split('\nRequire stack:')[0]?.trim().split('\n') ?? [];
  return lines.at(-1) ?? message;
}
