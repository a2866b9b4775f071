import { quote } from './finding.ts';

/** What is wrong with a reference to an environment variable. */
export interface ReferenceMistake {
  readonly message: string;
  readonly found: string;
  readonly allowed: string;
}

const reference = /\$\$|\$\{([^}]*)\}|\$\{.*$/gs;
const content = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Puts environment variables into a text. `${NAME}` must be set; `${NAME:-default}` takes the default when it is unset or
 * empty, as in a shell; `$$` is one `$`, so that `$${` stands for a literal `${`. Any other `$` is itself. What comes out
 * is not looked at again: a value cannot refer to a further variable.
 */
export function substituteEnvironment(
  text: string,
  environment: NodeJS.ProcessEnv,
): { readonly text: string; readonly mistakes: readonly ReferenceMistake[] } {
  if (!text.includes('$')) return { text, mistakes: [] };
  const mistakes: ReferenceMistake[] = [];
  const substituted = text.replace(reference, (whole, inner: string | undefined) => {
    if (whole === '$$') return '$';
    const [, name, fallback] = content.exec(inner ?? '') ?? [];
    if (name === undefined) {
      mistakes.push(malformed(inner === undefined ? text : whole));
      return whole;
    }
    const value = environment[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) mistakes.push(unset(name, whole));
    return value ?? whole;
  });
  return { text: substituted, mistakes };
}

function unset(name: string, whole: string): ReferenceMistake {
  return {
    message: `the environment variable ${name} is not set`,
    found: whole,
    allowed: `a variable that is set, or a default: \${${name}:-value}`,
  };
}

function malformed(found: string): ReferenceMistake {
  return {
    message: `wrong reference to an environment variable ${quote(found)}`,
    found: quote(found),
    allowed: '${NAME} or ${NAME:-default}; $${ for a literal ${',
  };
}

/** Text that stood unquoted in YAML becomes what YAML makes of it: `${WORKERS}` may be the number 4. */
export function retypeScalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** The same, for every string in plain data; `report` hears of each mistake. */
export function substituteInData(
  data: unknown,
  environment: NodeJS.ProcessEnv,
  report: (path: readonly PropertyKey[], mistake: ReferenceMistake) => void,
  path: readonly PropertyKey[] = [],
): unknown {
  if (typeof data === 'string') {
    const { text, mistakes } = substituteEnvironment(data, environment);
    for (const mistake of mistakes) report(path, mistake);
    return text;
  }
  // A module can build a structure that contains itself; no configuration is this deep.
  if (typeof data !== 'object' || data === null || path.length > 50) return data;
  if (Array.isArray(data)) {
    return data.map((item: unknown, index) => substituteInData(item, environment, report, [...path, index]));
  }
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, substituteInData(value, environment, report, [...path, key])]),
  );
}
