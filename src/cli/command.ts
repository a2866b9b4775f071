import { Command, CommanderError, Option } from 'commander';
import { check } from './check.ts';
import { type ConfigFlags, configSourceOf } from './config-source-flags.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
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

function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration: .yaml, .yml, .json, or a module .ts, .js, .mjs');
}

function append(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}
