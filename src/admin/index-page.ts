/** What the admin listener shows at `/`. */
export const adminIndexPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Portico</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 36rem; padding: 0 1rem }</style>
<h1>Portico</h1>
<ul>
<li><a href="/status">/status</a>: workers, upstream servers, the configuration in force (JSON)
<li><a href="/metrics">/metrics</a>: numbers for Prometheus
<li><a href="/ready">/ready</a>: 200 while traffic should come here, 503 while starting or stopping
<li><code>/cache/why?url=…</code>: what is stored for an URL, until when and why
<li><a href="/health">/health</a>: 200 while the process lives
</ul>
<p>Requests that change something, as JSON by POST from this machine: <code>/workers/roll</code> replaces the workers one after the
other; <code>/upstreams/NAME/servers/SERVER/state</code> with <code>{"state": "drain"}</code> takes a server out;
<code>/cache/purge</code> with <code>{"tags": ["post-7"]}</code> (or urls, prefixes, hosts, everything) purges.
</html>
`;
