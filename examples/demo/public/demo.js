// Asks /app/whoami a number of times and shows which instance answered each request; asks for /app/report, and shows what
// the cache said and how much came over the wire.
const requests = 24;
const button = document.querySelector('#ask');
const dots = document.querySelector('.dots');
const tally = document.querySelector('.tally');

button.addEventListener('click', () => void ask());
const reportButton = document.querySelector('#fetch');
const answers = document.querySelector('.answers');
reportButton.addEventListener('click', () => void askForReport());
void askForReport();
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

async function askForReport() {
  reportButton.disabled = true;
  answers.replaceChildren();
  for (let i = 0; i < 5; i += 1) {
    const line = document.createElement('li');
    line.textContent = '…';
    answers.append(line);
    line.textContent = await reportOnce();
  }
  reportButton.disabled = false;
}

async function reportOnce() {
  performance.clearResourceTimings();
  const begin = performance.now();
  try {
    const response = await fetch('/app/report', { cache: 'no-store' });
    await response.arrayBuffer();
    const took = `${response.headers.get('x-cache') ?? `status ${response.status}`}, ${Math.round(performance.now() - begin)} ms`;
    const [timing] = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/app/report'));
    if (!timing?.encodedBodySize) return took;
    return `${took}, ${timing.encodedBodySize} bytes sent for ${timing.decodedBodySize}`;
  } catch {
    return 'no answer';
  }
}
