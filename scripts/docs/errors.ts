import { errorCodes } from '../../src/response/error-code.ts';
import { type GeneratedDocument, generatedNotice, markdownTable } from './generated-document.ts';

const introduction = `# Errors

A response that Portico makes itself carries one of these codes: on the error page, in the JSON error, in the \`error\` field of
the access log and in the label \`code\` of \`portico_http_errors_total\`. A response that comes from the application is passed on
as it is, whatever its status, and has no code.

The side says whose fault it is: \`client\` (the request), \`upstream\` (the application), \`internal\` (Portico or its machine) or
\`config\` (the configuration).`;

/** docs/errors.md */
export const errorsDocument: GeneratedDocument = {
  path: 'docs/errors.md',
  render: () => `${[generatedNotice, introduction, overview(), ...sections()].join('\n\n')}\n`,
};

function overview(): string {
  const rows = Object.entries(errorCodes).map(([code, { status, side, retryable }]) => [
    `[\`${code}\`](#${code})`,
    String(status),
    side,
    retryable ? 'yes' : 'no',
  ]);
  return `## Overview\n\n${markdownTable(['Code', 'Status', 'Side', 'Another server or try may succeed'], rows)}`;
}

function sections(): string[] {
  return Object.entries(errorCodes).map(
    ([code, { title, meaning }]) => `## ${code}\n\nThe visitor reads: “${title}”\n\n${meaning}`,
  );
}
