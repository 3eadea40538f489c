// The page: what is chosen goes to the model's thread, what comes back is drawn. Combining maps into a mask takes
// milliseconds, so it is done here, at every move of a slider.
import {binarize, enlarge, iou, makeMask, tokenize} from './diffedit.mjs';
import {Live, obstacle, scenesOf, timestepsOf} from './live.mjs';

const MASK = [230, 0, 126];                              // MASK_COLOR of lessonlib.show
const SHADES = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];      // viridis
const LARGE = 256;
const OWN = 'Your picture became a square of 128 px. The model knows drawings like those above, and has never seen a photograph.';

const shade = value => {
  const at = Math.min(Math.max(value, 0), 1)*(SHADES.length - 1);
  const [low, high] = [SHADES[Math.floor(at)], SHADES[Math.ceil(at)]];
  return low.map((start, c) => start + at % 1*(high[c] - start));
};

const draw = async (canvas, size, color, alpha = () => 255) => {       // color(i): red, green, blue of pixel i
  const image = new ImageData(size, size);
  for (let i = 0; i < size*size; i++) image.data.set([...color(i), alpha(i)], 4*i);
  const drawn = await createImageBitmap(image, {resizeWidth: canvas.width, resizeHeight: canvas.height,
    resizeQuality: size > 32 ? 'high' : 'pixelated'});
  canvas.getContext('2d').drawImage(drawn, 0, 0);
};
const colors = pixels => i => pixels.subarray(3*i, 3*i + 3);

const square = async (file, size) => {                   // a file's picture, cropped and made small, on white
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  await new Promise((resolve, reject) => Object.assign(picture, {onload: resolve, onerror: reject})).catch(() => {
    throw new Error(`${file.name} is no picture that this browser can open.`);
  });
  const {naturalWidth: width, naturalHeight: height} = picture;
  if (width*height > 5e7) throw new Error(`${file.name} is too large: ${width} x ${height} px. Up to 50 million px will do.`);
  const context = Object.assign(document.createElement('canvas'), {width: size, height: size}).getContext('2d');
  const side = Math.min(width, height);
  Object.assign(context, {fillStyle: '#fff', imageSmoothingQuality: 'high'}).fillRect(0, 0, size, size);
  context.drawImage(picture, (width - side)/2, (height - side)/2, side, side, 0, 0, size, size);
  URL.revokeObjectURL(picture.src);
  return Uint8Array.from(context.getImageData(0, 0, size, size).data.filter((_, i) => i % 4 < 3));
};

const start = root => {
  const all = selector => [...root.querySelectorAll(selector)];
  const find = selector => root.querySelector(selector);
  const say = (name, text) => { find(`[data-say=${name}]`).textContent = text; };
  const canvas = name => find(`[data-canvas=${name}]`);
  const button = name => find(`[data-do=${name}]`);
  const setting = name => find(`[data-setting=${name}]`);
  const value = name => Number(setting(name).value);
  const query = name => find(`[data-query=${name}]`).value.trim();
  const live = new Live();
  const state = root.live = {maps: [], seed: 0, noise: null, own: true};       // own: the strength is the method's own

  // ---- what needs no model: words, and the mask of the maps that are there

  const remarks = () => {
    const [source, target] = ['source', 'target'].map(name => tokenize(state.known, query(name)));
    const unknown = [...new Set([...source.unknown, ...target.unknown])];
    const found = state.picture.truth ? [] : [OWN];
    if (!query('source') || !query('target')) found.push('An empty query is a question without words: the model answers, but knows less.');
    if (unknown.length) found.push(`The model has never seen ${unknown.map(word => `“${word}”`).join(', ')}. The fields suggest what it knows.`);
    if (source.left + target.left) found.push(`The end of a long query is cut: the model reads ${state.known.tokens - 2} tokens.`);
    if (source.ids.join() === target.ids.join()) found.push('Both queries are the same to the model, so its answers do not differ: the map is empty.');
    say('words', found.join(' '));
  };

  const showMask = async () => {
    const {known, picture, maps} = state;
    const method = setting('method').value;
    const own = state.own && known.strengths[method];
    for (const place of all('[data-value]')) place.textContent = setting(place.dataset.value).value;
    if (own) find('[data-value=strength]').textContent = own.join(' and ');
    if (!maps.length) return;
    const threshold = value('threshold');
    const mask = state.mask = makeMask(known, maps, picture.pixels, {method, quantile: value('quantile'), threshold});
    const score = picture.truth && iou(mask.pixelMask, picture.truth);
    root.dataset.iou = score ?? '';
    say('iou', picture.truth ? `IoU ${score.toFixed(2)}` : `${(100*mask.pixelMask.reduce((sum, one) => sum + one)/known.size**2).toFixed(0)}% of it`);
    const inside = binarize(enlarge(mask.pixelDifference, known.size, LARGE), threshold);
    await draw(canvas('difference'), known.size, i => shade(mask.pixelDifference[i]));
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
      if (fault.message !== 'stopped') say('status', `${fault.message} The pictures above show what was found before.`);
      if (fault.message !== 'stopped') root.dataset.state = 'failed';
      return null;
    }
  };

  const load = async () => {
    button('load').hidden = true;
    find('progress').hidden = false;
    say('status', 'Loading ...');
    const began = performance.now();
    const device = new URLSearchParams(location.search).get('device');
    const answer = await ask('load', {device}, ({loaded, total}) => { find('progress').value = loaded/total; });
    find('progress').hidden = true;
    button('load').hidden = Boolean(answer);
    if (!answer) return;
    const {known, provider, apart} = Object.assign(state, answer);
    const where = provider === 'webgpu' ? 'your graphics card' : 'your processor';
    say('status', `Ready after ${((performance.now() - began)/1000).toFixed(1)} s, on ${where}. One answer compared with torch: ${apart.toPrecision(1)} apart.`);
    find('[data-app]').hidden = false;
    find('datalist').append(...[...known.said, `${known.said[0]} ${known.places[0]}`].map(text => new Option(text)));
    state.scenes = scenesOf(answer);
    find('[data-gallery]').prepend(...state.scenes.map((scene, k) => {
      const choice = Object.assign(document.createElement('button'), {type: 'button', onclick: () => choose(scene)});
      const thumb = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
      choice.setAttribute('aria-label', `${scene.subject} on ${scene.background}, ${k + 1}`);
      choice.dataset.scene = scene.id;
      choice.append(thumb);
      draw(thumb, known.size, colors(scene.pixels));
      return choice;
    }));
    await choose(state.scenes[0]);
  };

  const choose = picture => {
    state.picture = picture;
    for (const choice of all('[data-scene]')) choice.setAttribute('aria-pressed', choice.dataset.scene === picture.id);
    for (const name of ['source', 'target']) find(`[data-query=${name}]`).value = picture[name] ?? query(name);
    for (const name of ['mask', 'edit']) canvas(name).getContext('2d').clearRect(0, 0, LARGE, LARGE);
    draw(canvas('picture'), state.known.size, colors(picture.pixels));
    return look();
  };

  const look = async () => {
    const {known, picture, seed, noise} = state;
    remarks();
    say('edit', 'the edit');
    const timesteps = timestepsOf(known, noise ? noise.length : value('n'), setting('method').value, state.own ? null : value('strength'));
    const began = performance.now();
    state.maps = [];
    button('edit').disabled = true;
    find('[data-maps]').replaceChildren(...timesteps.map(() => Object.assign(document.createElement('canvas'), {width: 64, height: 64})));
    const question = {picture, source: query('source'), target: query('target'), timesteps, seed, noise};
    const answer = await ask('find', question, async ({k, map}) => {
      state.maps[k] = map;
      const top = Math.max(...map) || 1;
      draw(find('[data-maps]').children[k], known.side, i => shade(map[i]/top));
      await showMask();
    });
    if (!answer) return;
    button('edit').disabled = false;
    say('status', `Found in ${((performance.now() - began)/1000).toFixed(1)} s: ${timesteps.length} noises, of which ${answer.computed} are new.`);
  };

  const edit = async () => {
    const {picture, mask} = state;
    const show = pixels => draw(canvas('edit'), state.known.size, colors(pixels));
    if (!mask.mask.includes(1)) return say('edit', 'The mask is empty, so there is nothing to edit.');
    const question = {picture, target: query('target'), mask: mask.mask, pixelMask: mask.pixelMask, strength: .8,
      wanted: value('steps'), scale: value('guidance'), every: 4};
    const answer = await ask('edit', question, ({done, total, pixels}) => {
      say('edit', `the edit: step ${done} of ${total}, ${done > total/2 ? 'down to a picture' : 'up to noise'}`);
      if (pixels) show(pixels);
    });
    if (!answer) return null;
    state.edited = answer;
    say('edit', 'the edit');
    return show(answer.pixels);
  };

  const reset = () => {
    for (const field of all('[data-setting]')) field.value = field.defaultValue ?? 'guided';
    Object.assign(state, {own: true, seed: 0});
    return choose(state.scenes[0]);
  };

  // ---- what is clicked, moved and dropped

  const open = async file => {
    try {
      const pixels = await square(file, state.known.size);
      await choose({id: `${file.name} ${file.lastModified} ${performance.now()}`, pixels});
    } catch (fault) { say('status', fault.message); }
  };
  const actions = {load, find: look, edit, reset};
  for (const [name, action] of Object.entries(actions)) button(name).addEventListener('click', action);
  for (const field of all('[data-query]')) field.addEventListener('keydown', event => event.key === 'Enter' && look());
  find('[data-upload]').addEventListener('change', event => event.target.files[0] && open(event.target.files[0]));
  for (const name of ['quantile', 'threshold', 'n', 'strength', 'steps', 'guidance']) setting(name).addEventListener('input', showMask);
  setting('strength').addEventListener('input', () => { state.own = false; });
  setting('method').addEventListener('change', event => { setting('threshold').value = state.known.thresholds[event.target.value]; });
  for (const name of ['n', 'strength', 'method']) setting(name).addEventListener('change', look);
  button('load').hidden = Boolean(obstacle());
  say('status', obstacle() || 'It stays in this browser for your next visit. Your pictures do not leave this page.');
};

for (const root of document.querySelectorAll('[data-live]')) start(root);
