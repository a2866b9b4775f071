import { account, accountGroup, fileMode } from './schema-values.ts';

/** What may be said of the file of a Unix socket that is listened on. */
export const socketFile = {
  mode: fileMode
    .optional()
    .describe(
      'Permissions of the file of a Unix socket, as octal digits in quotes; `"0660"` where it is left out. Whoever may write to it may connect. NGINX: none (0666). HAProxy: `bind … mode`.',
    ),
  owner: account
    .optional()
    .describe(
      'User who owns the file of a Unix socket. Takes a primary that runs as root. NGINX: none. HAProxy: `bind … user`.',
    ),
  group: accountGroup
    .optional()
    .describe(
      'Group of the file of a Unix socket, such as the one of the proxy in front. Takes a primary that runs as root, or as a member of the group. NGINX: none. HAProxy: `bind … group`.',
    ),
};
