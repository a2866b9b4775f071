/** Fields of responses that tell about caching: a cache has to know them also where the route keeps them from clients. */
const policyFields = [
  'cache-control',
  'cdn-cache-control',
  'expires',
  'pragma',
  'vary',
  'etag',
  'last-modified',
  'cache-tag',
  'surrogate-key',
];

/**
 * What the parser of a route with a cache hands over instead of passing it on: the cache writes Age itself, and
 * Surrogate-Control is meant for the caches on the application's side alone.
 * @param removed names in lower case that the route takes out of what the upstream sends
 */
export function handedOverFields(removed: ReadonlySet<string>): string[] {
  return ['date', 'age', 'surrogate-control', ...policyFields.filter((name) => removed.has(name))];
}
