'use strict';

const messages = document.getElementById('messages');
const form = document.getElementById('say');
const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
const socket = new WebSocket(`${scheme}://${location.host}/ws/lobby/`, ['chat.v1']);

socket.onopen = () => {
  // A message in the address is said at once: /?name=Ada&say=hello
  const text = new URLSearchParams(location.search).get('say');
  if (text !== null) socket.send(JSON.stringify({ text }));
};

socket.onmessage = ({ data }) => {
  const { who, text, left } = JSON.parse(data);
  const line = document.createElement('li');
  line.textContent = text === undefined ? `${who} left (${left})` : `${who}: ${text}`;
  messages.append(line);
  if (text === 'good night') socket.close(4000, 'good night');
};

form.onsubmit = (event) => {
  event.preventDefault();
  socket.send(JSON.stringify({ text: form.elements.text.value }));
  form.reset();
};
