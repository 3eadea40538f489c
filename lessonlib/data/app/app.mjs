// The page of lessonlib-app: what is dropped, typed and moved goes to Python, and what comes back is shown.
// Nothing is computed here. A newer question stops an older one.
const root = document.querySelector('[data-app]');
const all = selector => [...root.querySelectorAll(selector)];
const find = selector => root.querySelector(selector);
const say = (name, words) => { find(`[data-say=${name}]`).textContent = words; };
const button = name => find(`[data-do=${name}]`);
const setting = name => find(`[data-setting=${name}]`);
const value = name => Number(setting(name).value);
const query = name => find(`[data-query=${name}]`).value.trim();
const image = name => find(`[data-image=${name}]`);
const element = (tag, properties) => Object.assign(document.createElement(tag), properties);
const state = {model: null, photo: null, found: 0, seed: 0, running: null, notes: [], looking: false, again: false};

// ---- what Python is asked

const answerOf = async response => {                     // of one that comes whole
  const answer = await response.json();
  if (answer.fault) throw new Error(answer.fault);
  return answer;
};

const lines = async function* (body) {                   // of one that comes line by line
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let [rest, part] = ['', await reader.read()];
  while (!part.done) {
    const whole = (rest + part.value).split('\n');
    rest = whole.pop();
    yield* whole.map(line => JSON.parse(line));
    part = await reader.read();
  }
};

const remaining = (began, done, total) => {
  const seconds = (performance.now() - began)/1000*(total - done)/done;
  if (seconds < 3) return '';
  return seconds < 90 ? `, about ${Math.ceil(seconds)} s left` : `, about ${Math.ceil(seconds/60)} minutes left`;
};

const listen = async (response, words) => {              // until the answer is there
  if (!response.ok) return answerOf(response);
  let began = performance.now();
  for await (const {waits, done, total, fault, answer} of lines(response.body)) {
    if (fault) throw new Error(fault);
    if (answer) return answer;
    if (waits) say('status', 'The model is still busy with another question: waiting for it ...');
    else if (!done) began = performance.now();
    if (total) {
      find('progress').value = done/total;
      const rest = done ? remaining(began, done, total) : '';
      say('status', `${words}: ${done} of ${total} steps${rest} ...`);
    }
  }
  throw new Error('Python has stopped in the middle of this. What it says stands in its terminal.');
};

const note = notes => {                                  // what the model warns of
  state.notes = [...new Set(notes)];
  find('[data-notes]').replaceChildren(...state.notes.map(textContent => element('li', {textContent})));
  find('[data-notes]').hidden = !notes.length;
};

const ask = async (path, body, words) => {               // null: it was stopped, or went wrong, and the page says so
  state.running?.abort();
  const running = state.running = new AbortController();
  root.dataset.state = 'working';
  find('progress').value = 0;
  say('status', `${words} ...`);
  let [answer, end] = [null, 'failed'];
  try {
    answer = await listen(await fetch(path, {method: 'POST', body, signal: running.signal}), words);
    end = 'done';
    note([...state.notes, ...answer.notes]);
  } catch (fault) {
    if (running !== state.running) return null;          // a newer question speaks now
    if (fault.name === 'AbortError') say('status', 'Stopped.');
    else if (fault instanceof TypeError) say('status', 'Python does not answer: is lessonlib-app still running?');
    else say('status', fault.message);
  }
  if (running !== state.running) return null;
  root.dataset.state = end;
  return answer;
};

// ---- a photograph, its mask, its edit

const clear = (...names) => {
  for (const name of names) image(name).removeAttribute('src');
  for (const link of all('[data-save]')) link.hidden = link.hidden || names.includes(link.dataset.save);
};

const save = (name, places = '') => {
  const stem = state.photo.name.replace(/\.[^.]*$/, '');
  const [href, download] = [`${state.photo.id}/${name}.png${places}`, `${stem}-${name}.png`];
  Object.assign(find(`[data-save=${name}]`), {href, download, hidden: false});
};

const open = async (file, scene = null) => {
  const {heaviest} = state.model;
  const megabytes = bytes => `${Math.round(bytes/1e6)} MB`;
  if (file.size > heaviest) {
    return say('status', `${file.name} has ${megabytes(file.size)}: ${megabytes(heaviest)} is the most.`);
  }
  const photo = await ask(`open?name=${encodeURIComponent(file.name)}`, file, `Opening ${file.name}`);
  if (!photo) return null;
  Object.assign(state, {photo, found: 0});
  note(photo.notes);
  for (const choice of all('[data-scene]')) choice.setAttribute('aria-pressed', choice.dataset.scene === scene?.id);
  if (scene) for (const name of ['source', 'target']) find(`[data-query=${name}]`).value = scene[name];
  clear('map', 'mask', 'edit');
  button('edit').disabled = true;
  say('share', '');
  root.style.setProperty('--ratio', photo.width/photo.height);
  image('picture').src = photo.picture;
  say('picture', `${photo.width} x ${photo.height} px; the model sees ${photo.seen.join(' x ')}`);
  find('[data-work]').hidden = false;
  say('status', 'Say what it shows and what it shall be, then find the mask.');
  return scene && look();
};

const settings = () => ({n: Math.min(value('n'), state.found), threshold: value('threshold')});

const cut = async () => {                                // the mask anew, from the maps that are there
  for (const place of all('[data-value]')) place.textContent = setting(place.dataset.value).value;
  if (!state.found) return;
  if (state.looking) {
    state.again = true;                                  // only the newest counts
    return;
  }
  state.looking = true;
  try {
    do {
      state.again = false;
      const asked = `?${new URLSearchParams(settings())}`;
      const {share, map, overlay} = await answerOf(await fetch(`${state.photo.id}/look${asked}`));
      [image('map').src, image('mask').src] = [map, overlay];
      say('share', `${(100*share).toFixed(share < .1 ? 1 : 0)}% of the picture`);
      save('mask', asked);
      root.dataset.cut = asked;                          // for whoever waits for it
    } while (state.again);
  } catch (fault) {
    say('status', fault.message);
  } finally { state.looking = false; }
};

const look = async () => {
  const {photo, seed} = state;
  if (!photo) return;
  const began = performance.now();
  state.found = 0;
  button('edit').disabled = true;
  clear('map', 'mask', 'edit');
  note([]);
  const asked = {source: query('source'), target: query('target'), n: value('n'), method: setting('method').value, seed};
  const answer = await ask(`${photo.id}/find`, JSON.stringify(asked), 'Looking');
  if (!answer) return;
  state.found = asked.n;
  button('edit').disabled = false;
  const seconds = ((performance.now() - began)/1000).toFixed(1);
  say('status', `Found in ${seconds} s. The threshold and fewer noises answer at once.`);
  await cut();
};

const edit = async () => {
  const {photo, seed} = state;
  const began = performance.now();
  clear('edit');
  const asked = {...settings(), steps: value('steps'), guidance: value('guidance'), bold: setting('bold').checked, seed};
  const answer = await ask(`${photo.id}/edit`, JSON.stringify(asked), 'Editing');
  if (!answer) return;
  image('edit').src = answer.picture;
  save('edit');
  say('status', `Edited in ${((performance.now() - began)/1000).toFixed(1)} s, at the photograph's own size.`);
};

const roll = () => {
  state.seed += 1;
  return look();
};

const stop = () => state.running?.abort();

// ---- what is clicked, moved and dropped

const thumbnail = scene => {
  const choice = element('button', {type: 'button', title: `${scene.source} on ${scene.background}`});
  choice.append(element('img', {src: `scenes/${scene.id}.png`, alt: ''}));
  choice.setAttribute('aria-label', `${choice.title}, a drawing`);
  choice.setAttribute('aria-pressed', false);
  choice.dataset.scene = scene.id;
  choice.addEventListener('click', async () => {
    const response = await fetch(`scenes/${scene.id}.png`);
    open(new File([await response.blob()], `${scene.subject}.png`), scene);
  });
  return choice;
};

const start = async () => {
  const model = state.model = await answerOf(await fetch('model.json'));
  say('model', model.words);
  say('advice', model.advice);
  find('datalist').append(...model.said.map(text => new Option(text)));
  find('[data-gallery]').append(...model.scenes.map(thumbnail));
  setting('threshold').value = model.thresholds[setting('method').value];
  cut();
  for (const [name, action] of Object.entries({find: look, edit, roll, stop})) {
    button(name).addEventListener('click', action);
  }
  for (const field of all('[data-query]')) field.addEventListener('keydown', event => event.key === 'Enter' && look());
  for (const field of all('input[type=range]')) field.addEventListener('input', cut);
  setting('n').addEventListener('change', () => {
    if (state.found && value('n') > state.found) say('status', 'More noises need the model: find the mask anew.');
  });
  setting('method').addEventListener('change', ({target}) => {
    setting('threshold').value = model.thresholds[target.value];
    cut();
    if (state.found) look();
  });
  find('[data-upload]').addEventListener('change', ({target}) => {
    if (target.files[0]) open(target.files[0]);
    target.value = '';                                   // the same file may be chosen again
  });
  for (const [kind, over] of [['dragover', true], ['dragleave', false], ['drop', false]]) {
    document.addEventListener(kind, event => {
      event.preventDefault();
      root.toggleAttribute('data-dropping', over);
      if (kind === 'drop' && event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
    });
  }
  root.dataset.state = 'ready';
};

start().catch(fault => say('status', fault.message));
