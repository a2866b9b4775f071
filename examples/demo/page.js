const htmlEscapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes text for use within HTML. */
export function textOf(value) {
  return String(value).replace(/[&<>"']/g, (character) => htmlEscapes[character]);
}

/** A whole page of the demo application; `content` is HTML, the rest is text. */
export function renderPage({ title, content, instance }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${textOf(title)} · Portico demo</title>
<link rel="icon" href="/portico.svg">
<link rel="stylesheet" href="/demo.css">
</head>
<body>
<header><a class="brand" href="/"><img src="/portico.svg" alt="" width="40" height="40"> Portico demo</a>
<span class="instance ${textOf(instance)}">answered by <strong>${textOf(instance)}</strong></span></header>
<main><h1>${textOf(title)}</h1>
${content}
<p><a href="/">Back to the start</a></p></main>
</body>
</html>
`;
}
