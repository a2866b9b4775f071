import { Command, CommanderError, Option } from 'commander';
import { type CacheWhyFlags, cacheWhy } from './cache-why.ts';
import { check } from './check.ts';
import { type ConfigFlags, configSourceOf } from './config-source-flags.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { type PurgeFlags, purge } from './purge.ts';
import { schema } from './schema.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { programVersion, version } from './version.ts';

const description = 'The front server of a web application: static files, load balancing, metrics.';

const examples = `
Examples:
  portico serve --static /static/=./staticfiles --upstream 127.0.0.1:8000
  portico serve -c /etc/portico/portico.yaml
  portico check -c portico.yaml

Exit codes: 0 stopped as asked, 1 failed while running, 2 bad usage or configuration.`;

const serveExamples = `
Without -c and without --static or --upstream, the first of portico.yaml, portico.yml, portico.json,
portico.config.ts, portico.config.js and portico.config.mjs in the working directory is served.

Examples:
  portico serve                                     serves what ./portico.yaml says
  portico serve -c site.yaml --listen 127.0.0.1:8000
  portico serve --upstream 127.0.0.1:8000 --upstream 127.0.0.1:8001
  portico serve --static /=./dist --listen :8080    a folder and nothing else

Signals: SIGTERM, SIGINT finish requests in flight and stop; SIGHUP reads the configuration again;
SIGUSR2 opens the log files anew.`;

const checkExamples = `
Examples:
  portico check                                     checks ./portico.yaml
  portico check -c /etc/portico/portico.yaml && systemctl reload portico

Exit codes: 0 valid, 2 not valid.`;

const schemaExamples = `
Example:
  portico schema > portico.schema.json
and as first line of portico.yaml, for editors with the YAML language server:
  # yaml-language-server: $schema=./portico.schema.json`;

const purgeExamples = `
Talks to the running program: through the admin listener that the configuration names, or --admin. Ends when every
worker obeys. An URL with ?* at its end is meant with every query.

Examples:
  portico purge https://example.org/ 'https://example.org/search?*'
  portico purge --prefix https://example.org/blog/
  portico purge --tag post-7 --tag front-page --soft
  portico purge --all`;

const whyExamples = `
Examples:
  portico cache why https://example.org/blog/
  portico cache why https://example.org/ --header 'Accept-Encoding: gzip' --header 'Cookie: sessionid=1'`;

/**
 * Runs the command line.
 *
 * @param argv without the program's name
 */
export async function runCommand(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = makeProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (!(error instanceof UsageError)) throw error;
    terminal.error(`portico: ${error.message}\n`);
    return exitCodes.usage;
  }
}

function makeProgram(terminal: Terminal, end: (code: ExitCode) => void): Command {
  const program = new Command('portico')
    .description(description)
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', examples)
    .configureOutput({ writeOut: (text) => terminal.print(text), writeErr: (text) => terminal.error(text) })
    .showHelpAfterError('(portico --help lists what there is)')
    .exitOverride();
  addServe(program, end);
  program
    .command('check')
    .description('say whether a configuration is valid, and every mistake in it')
    .addOption(configOption())
    .addHelpText('after', checkExamples)
    .action(async (flags: ConfigFlags) => end(await check(configSourceOf(flags, process.cwd()), terminal)));
  program
    .command('schema')
    .description('print the JSON Schema of the configuration')
    .addHelpText('after', schemaExamples)
    .action(() => end(schema(terminal)));
  addPurge(program, terminal, end);
  addCache(program, terminal, end);
  program
    .command('version')
    .description('print the versions of Portico, Node.js and uWebSockets.js')
    .action(async () => end(await version(terminal)));
  return program;
}

function addServe(program: Command, end: (code: ExitCode) => void): void {
  program
    .command('serve')
    .description('serve what a configuration, or the flags, say')
    .addOption(configOption())
    .option('--listen <address>', 'where clients connect, host:port or :port; repeatable', append)
    .option('--static <prefix=dir>', 'serve a folder under a path prefix; repeatable', append)
    .option('--upstream <url>', 'pass everything else to host:port or unix:/path; repeatable', append)
    .option('--workers <count>', 'worker processes; auto is one a core')
    .option('--admin <address>', 'where metrics, health and status answer; off for nowhere')
    .option('--access-log <path>', 'stdout, stderr or a file; off for none')
    .addHelpText('after', serveExamples)
    .action(async (flags: ConfigFlags) => {
      const source = configSourceOf(flags, process.cwd());
      // Loaded here only: the other commands start faster without, and work where no uWebSockets.js build does.
      const { serve } = await import('./serve.ts');
      end(await serve({ source }));
    });
}

function addPurge(program: Command, terminal: Terminal, end: (code: ExitCode) => void): void {
  program
    .command('purge')
    .description('remove stored responses from the cache, or mark them stale')
    .argument('[urls...]', 'whole URLs, such as https://example.org/blog/')
    .option('--prefix <url>', 'everything whose URL begins so; repeatable', append)
    .option('--host <host>', 'everything of a host; repeatable', append)
    .option('--tag <tag>', 'everything with that Cache-Tag or Surrogate-Key; repeatable', append)
    .option('--all', 'everything')
    .option('--soft', 'mark stale instead: it is validated before its next use, and serves while the application fails')
    .option('--zone <name>', 'in that zone only, instead of in all')
    .addOption(configOption())
    .addOption(adminOption())
    .addHelpText('after', purgeExamples)
    .action(async (urls: string[], flags: PurgeFlags) => end(await purge(urls, flags, terminal)));
}

function addCache(program: Command, terminal: Terminal, end: (code: ExitCode) => void): void {
  program
    .command('cache')
    .description('ask what the cache has')
    .command('why')
    .description('say what is stored for an URL, until when and why, and what a request would meet')
    .argument('<url>', 'the whole URL, such as https://example.org/blog/')
    .option('--header <line>', "a field of the request, 'Name: value'; repeatable", append)
    .option('--json', 'print JSON')
    .addOption(configOption())
    .addOption(adminOption())
    .addHelpText('after', whyExamples)
    .action(async (url: string, flags: CacheWhyFlags) => end(await cacheWhy(url, flags, terminal)));
}

function adminOption(): Option {
  return new Option('--admin <address>', 'the admin listener, host:port, instead of that of the configuration');
}

function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration: .yaml, .yml, .json, or a module .ts, .js, .mjs');
}

function append(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}
