import { configurationDocument } from './configuration.ts';
import { errorsDocument } from './errors.ts';
import type { GeneratedDocument } from './generated-document.ts';
import { metricsDocument } from './metrics.ts';

/** Every generated page. */
export const documents: readonly GeneratedDocument[] = [configurationDocument, errorsDocument, metricsDocument];
