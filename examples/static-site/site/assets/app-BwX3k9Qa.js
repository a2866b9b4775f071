// What a bundler would have made: shows a view for the path, without asking the server for another page.
const view = document.querySelector('#view');

function show() {
  const path = location.pathname;
  const heading = document.createElement('h1');
  heading.textContent = path === '/' ? 'Start' : path.slice(1).split('/').join(' › ');
  view.replaceChildren(heading);
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('nav a');
  if (!link || link.pathname.startsWith('/docs')) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  show();
});
addEventListener('popstate', show);
show();
