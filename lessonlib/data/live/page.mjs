// The page: what is chosen goes to the model's thread, what comes back is drawn. Combining maps into a mask takes
// milliseconds, so it is done here, at every move of a slider.
import {binarize, enlarge, iou, makeMask, tokenize} from './diffedit.mjs';
import {Live, obstacle, scenesOf, timestepsOf} from './live.mjs';

const MASK = [230, 0, 126];                              // MASK_COLOR of lessonlib.show
const SHADES = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];      // viridis
const LARGE = 256;                                       // px of a picture on the page
const WORDS = {
  own: 'Your picture became a square of 128 px. The model knows drawings like those above, and has never seen a photo.',
  empty: 'An empty query is a question without words: the model answers, but knows less.',
  unknown: words => `The model has never seen ${words}. The fields suggest what it knows.`,
  cut: tokens => `The end of a long query is cut: the model reads ${tokens} tokens.`,
  same: 'Both queries are the same to the model, so its answers do not differ: the map is empty.',
  noMask: 'The mask is empty, so there is nothing to edit.',
  still: 'The pictures above show what was found before.',
  first: 'It stays in this browser for your next visit. Your pictures do not leave this page.',
};

const shade = value => {
  const at = Math.min(Math.max(value, 0), 1)*(SHADES.length - 1);
  const [low, high] = [SHADES[Math.floor(at)], SHADES[Math.ceil(at)]];
  return low.map((start, c) => start + at % 1*(high[c] - start));
};

const draw = async (canvas, size, color, alpha = () => 255) => {       // color(i): red, green, blue of pixel i
  const image = new ImageData(size, size);
  for (let i = 0; i < size*size; i++) image.data.set([...color(i), alpha(i)], 4*i);
  const [resizeWidth, resizeHeight] = [canvas.width, canvas.height];
  const resizeQuality = size > 32 ? 'high' : 'pixelated';
  const drawn = await createImageBitmap(image, {resizeWidth, resizeHeight, resizeQuality});
  canvas.getContext('2d').drawImage(drawn, 0, 0);
};
const colors = pixels => i => pixels.subarray(3*i, 3*i + 3);
const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

const square = async (file, size) => {                   // a file's picture, cropped and made small, on white
  const picture = element('img', {src: URL.createObjectURL(file)});
  await new Promise((onload, onerror) => Object.assign(picture, {onload, onerror})).catch(() => {
    throw new Error(`${file.name} is no picture that this browser can open.`);
  });
  const [width, height] = [picture.naturalWidth, picture.naturalHeight];
  if (width*height > 5e7) throw new Error(`${file.name} is too large: ${width} x ${height} px. 50 million will do.`);
  const context = element('canvas', {width: size, height: size}).getContext('2d');
  const side = Math.min(width, height);
  Object.assign(context, {fillStyle: '#fff', imageSmoothingQuality: 'high'}).fillRect(0, 0, size, size);
  context.drawImage(picture, (width - side)/2, (height - side)/2, side, side, 0, 0, size, size);
  URL.revokeObjectURL(picture.src);
  return Uint8Array.from(context.getImageData(0, 0, size, size).data.filter((_, i) => i % 4 < 3));
};

const start = root => {
  const all = selector => [...root.querySelectorAll(selector)];
  const find = selector => root.querySelector(selector);
  const say = (name, ...words) => { find(`[data-say=${name}]`).textContent = words.filter(Boolean).join(' '); };
  const canvas = name => find(`[data-canvas=${name}]`);
  const button = name => find(`[data-do=${name}]`);
  const setting = name => find(`[data-setting=${name}]`);
  const value = name => Number(setting(name).value);
  const query = name => find(`[data-query=${name}]`).value.trim();
  const seconds = began => ((performance.now() - began)/1000).toFixed(1);
  const live = new Live();
  const state = root.live = {maps: [], seed: 0, noise: null, own: true};       // own: the strength is the method's own

  // ---- what needs no model: words, and the mask of the maps that are there

  const remarks = () => {
    const [source, target] = ['source', 'target'].map(name => tokenize(state.known, query(name)));
    const unknown = [...new Set([...source.unknown, ...target.unknown])].map(word => `“${word}”`).join(', ');
    say('words', state.picture.truth ? '' : WORDS.own, query('source') && query('target') ? '' : WORDS.empty,
      unknown && WORDS.unknown(unknown), source.left + target.left ? WORDS.cut(state.known.tokens - 2) : '',
      source.ids.join() === target.ids.join() && WORDS.same);
  };

  const showMask = async () => {
    const {known, picture, maps} = state;
    const method = setting('method').value;
    for (const place of all('[data-value]')) place.textContent = setting(place.dataset.value).value;
    if (state.own && known.strengths[method]) {
      find('[data-value=strength]').textContent = known.strengths[method].join(' and ');
    }
    if (!maps.length) return;
    const threshold = value('threshold');
    const options = {method, quantile: value('quantile'), threshold};
    const mask = state.mask = makeMask(known, maps, picture.pixels, options);
    const score = picture.truth && iou(mask.pixelMask, picture.truth);
    const share = mask.pixelMask.reduce((sum, one) => sum + one)/known.size**2;
    root.dataset.iou = score ?? '';
    say('iou', picture.truth ? `IoU ${score.toFixed(2)}` : `${(100*share).toFixed(0)}% of the picture`);
    const inside = binarize(enlarge(mask.pixelDifference, known.size, LARGE), threshold);
    await draw(canvas('difference'), known.size, i => shade(mask.pixelDifference[i]));
    if (mask !== state.mask) return;                     // a newer one is on its way
    await draw(canvas('mask'), known.size, colors(picture.pixels));
    await draw(canvas('mask'), LARGE, () => MASK, i => 155*inside[i]);
  };

  // ---- what the model is asked

  const ask = async (name, question, heard) => {         // a newer question stops an older one, which is no fault
    root.dataset.state = name;
    try {
      const answer = await live.ask(name, question, heard);
      root.dataset.state = `${name} done`;
      return answer;
    } catch (fault) {
      if (fault.message === 'stopped') return null;
      say('status', fault.message, WORDS.still);
      root.dataset.state = 'failed';
      return null;
    }
  };

  const load = async () => {
    const [began, bar] = [performance.now(), find('progress')];
    [button('load').hidden, bar.hidden] = [true, false];
    say('status', 'Loading ...');
    const device = new URLSearchParams(location.search).get('device');
    const answer = await ask('load', {device}, ({loaded, total}) => { bar.value = loaded/total; });
    [button('load').hidden, bar.hidden] = [Boolean(answer), true];
    if (!answer) return;
    const {known, provider, apart} = Object.assign(state, answer);
    const where = provider === 'webgpu' ? 'graphics card' : 'processor';
    say('ready', `Loaded in ${seconds(began)} s. The model runs on your ${where}.`,
      `One answer was compared with torch's: ${apart.toPrecision(1)} apart.`);
    find('[data-app]').hidden = false;
    find('datalist').append(...known.said.map(text => new Option(text)));
    state.scenes = scenesOf(answer);
    find('[data-gallery]').prepend(...state.scenes.map(thumbnail));
    await choose(state.scenes[0]);
  };

  const thumbnail = scene => {
    const choice = element('button', {type: 'button', title: `${scene.source} on ${scene.background}`});
    const picture = element('canvas', {width: 64, height: 64});
    choice.setAttribute('aria-label', choice.title);
    choice.dataset.scene = scene.id;
    choice.append(picture);
    choice.addEventListener('click', () => choose(scene));
    draw(picture, state.known.size, colors(scene.pixels));
    return choice;
  };

  const choose = picture => {
    state.picture = picture;
    for (const choice of all('[data-scene]')) choice.setAttribute('aria-pressed', choice.dataset.scene === picture.id);
    for (const name of ['source', 'target']) find(`[data-query=${name}]`).value = picture[name] ?? query(name);
    for (const name of ['mask', 'difference']) canvas(name).getContext('2d').clearRect(0, 0, LARGE, LARGE);
    draw(canvas('picture'), state.known.size, colors(picture.pixels));
    return look();
  };

  const look = async () => {
    const {known, picture, seed, noise} = state;
    const [n, began] = [noise ? noise.length : value('n'), performance.now()];
    const timesteps = timestepsOf(known, n, setting('method').value, state.own ? null : value('strength'));
    remarks();
    say('edit', 'the edit');
    canvas('edit').getContext('2d').clearRect(0, 0, LARGE, LARGE);
    state.maps = [];
    button('edit').disabled = true;
    const places = timesteps.map(() => element('canvas', {width: 64, height: 64}));
    find('[data-maps]').replaceChildren(...places);
    const question = {picture, source: query('source'), target: query('target'), timesteps, seed, noise};
    const answer = await ask('find', question, ({k, map}) => {
      state.maps[k] = map;
      const top = Math.max(...map) || 1;
      draw(places[k], known.side, i => shade(map[i]/top));
      say('status', `Noise ${k + 1} of ${n}`);
      showMask();
    });
    if (!answer) return;
    button('edit').disabled = false;
    say('status', `Found in ${seconds(began)} s: ${n} noises, of which ${answer.computed} are new.`);
  };

  const edit = async () => {
    const {picture, mask: {mask, pixelMask}} = state;
    if (!mask.includes(1)) return say('edit', WORDS.noMask);
    const began = performance.now();
    const show = pixels => draw(canvas('edit'), state.known.size, colors(pixels));
    const question = {picture, target: query('target'), mask, pixelMask, strength: .8, wanted: value('steps'),
      scale: value('guidance'), every: 4};
    const answer = await ask('edit', question, ({done, total, pixels}) => {
      say('edit', `step ${done} of ${total}: ${done > total/2 ? 'down to a picture' : 'up to noise'}`);
      if (pixels) show(pixels);
    });
    if (!answer) return null;
    state.edited = answer;
    say('edit', 'the edit');
    say('status', `Edited in ${seconds(began)} s.`);
    return show(answer.pixels);
  };

  const reset = () => {
    for (const field of all('[data-setting]')) field.value = field.defaultValue ?? field.options[0].value;
    Object.assign(state, {own: true, seed: 0});
    return choose(state.scenes[0]);
  };

  const roll = () => {
    state.seed += 1;
    return look();
  };

  // ---- what is clicked, moved and dropped

  const open = async file => {
    try {
      const pixels = await square(file, state.known.size);
      await choose({id: `${file.name} ${performance.now()}`, pixels});
    } catch (fault) { say('status', fault.message); }
  };

  for (const [name, action] of Object.entries({load, find: look, edit, reset, roll})) {
    button(name).addEventListener('click', action);
  }
  for (const field of all('[data-query]')) field.addEventListener('keydown', event => event.key === 'Enter' && look());
  for (const field of all('input[data-setting]')) field.addEventListener('input', showMask);
  setting('strength').addEventListener('input', () => { state.own = false; });
  setting('method').addEventListener('change', ({target}) => {
    setting('threshold').value = state.known.thresholds[target.value];
  });
  for (const name of ['n', 'strength', 'method']) setting(name).addEventListener('change', look);
  find('[data-upload]').addEventListener('change', ({target}) => target.files[0] && open(target.files[0]));
  root.addEventListener('dragover', event => event.preventDefault());
  root.addEventListener('drop', event => {
    event.preventDefault();
    if (state.known && event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
  });
  button('load').hidden = Boolean(obstacle());
  say('status', obstacle() || WORDS.first);
};

for (const root of document.querySelectorAll('[data-live]')) start(root);
