// Asks /app/whoami a number of times and shows which instance answered each request.
const requests = 24;
const button = document.querySelector('#ask');
const dots = document.querySelector('.dots');
const tally = document.querySelector('.tally');

button.addEventListener('click', () => void ask());
void ask();

async function ask() {
  button.disabled = true;
  dots.replaceChildren();
  const counts = new Map();
  for (let i = 0; i < requests; i += 1) {
    const instance = await askOnce();
    counts.set(instance, (counts.get(instance) ?? 0) + 1);
    const dot = document.createElement('span');
    dot.className = instance;
    dot.title = instance;
    dots.append(dot);
  }
  tally.textContent = [...counts].map(([instance, count]) => `${instance}: ${count}`).join(' · ');
  button.disabled = false;
}

async function askOnce() {
  try {
    const response = await fetch('/app/whoami', { cache: 'no-store' });
    return response.ok ? (await response.json()).instance : `error ${response.status}`;
  } catch {
    return 'no answer';
  }
}
