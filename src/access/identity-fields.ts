import type { AccessConfig } from './access-config.ts';

/**
 * Names in lower case of the request fields by which the application learns who asks. No client may send them, on whatever
 * route: an application that believes them believes them everywhere.
 */
export function identityFields(configs: Iterable<AccessConfig | undefined>): string[] {
  const names = new Set<string>();
  for (const config of configs) {
    const userField = config?.basic?.userField;
    if (userField !== undefined) names.add(userField.toLowerCase());
    for (const name of Object.values(config?.jwt?.claims ?? {})) names.add(name.toLowerCase());
    for (const name of config?.forward?.copyHeaders ?? []) names.add(name.toLowerCase());
  }
  return [...names];
}

/** Whether what clients send as Authorization ends here. */
export function hidesAuthorization({ basic, jwt }: AccessConfig): boolean {
  return basic?.passAuthorization === false || jwt?.passAuthorization === false;
}
