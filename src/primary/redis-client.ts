/* Apart, so that the package is loaded only where it is needed, and by its names however the program is bundled. */
export { createClient } from '@redis/client';
