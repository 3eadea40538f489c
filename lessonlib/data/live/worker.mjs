// The model in a thread of its own: fetches it, keeps it for the next visit, and answers what live.mjs asks.
import * as steps from './diffedit.mjs';

const KEPT = 'lessonlib-live';
const stopped = new Error('stopped');
const state = {maps: new Map(), paths: new Map()};       // what was computed, by all that it depends on

// ---- files: pressed, counted as they come, compared with their length and fingerprint

const unpacked = bytes => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
};

const readAll = async (response, arrived) => {
  const [reader, parts] = [response.body.getReader(), []];
  let part = await reader.read();
  while (!part.done) {
    parts.push(part.value);
    arrived(part.value.length);
    part = await reader.read();
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
};

const addressOf = ({name, sha256}) => new URL(`${name}?${sha256.slice(0, 12)}`, import.meta.url).href;

const forgetOthers = async files => {                    // an older model, which nobody asks for any more
  const cache = await caches.open(KEPT);
  const wanted = new Set(files.map(addressOf));
  for (const {url} of await cache.keys()) {
    if (!wanted.has(url)) await cache.delete(url);
  }
};

const obtain = async ({name, bytes, sha256}, arrived) => {
  const url = addressOf({name, sha256});
  const kept = self.caches && await caches.open(KEPT).catch(() => null);
  const response = kept && await kept.match(url) || await fetch(url).catch(() => ({status: 'no connection'}));
  if (!response.ok) throw new Error(`${name} could not be loaded (${response.status}).`);
  const found = await readAll(response, arrived).catch(() => new Uint8Array());
  const digest = self.crypto.subtle && await crypto.subtle.digest('SHA-256', found);
  const hex = digest && Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('');
  if (found.length !== bytes || hex && hex !== sha256) {
    if (kept) await kept.delete(url);
    throw new Error(`${name} did not arrive whole (${found.length} of ${bytes} bytes).`);
  }
  if (kept) await kept.put(url, new Response(found)).catch(() => null);        // a full disk is no fault
  return unpacked(found);
};

// ---- what the page asks

const loadOn = async (provider, files) => {
  const needed = files.filter(file => !file.only || file.only === provider);
  const [total, data] = [needed.reduce((sum, file) => sum + file.bytes, 0), {}];
  let loaded = 0;
  for (const file of needed) {
    const name = file.name.split('/').pop().replace('.gz', '');
    data[name.endsWith('.wasm') ? 'wasm' : name] = await obtain(file, count => {
      loaded += count;
      self.postMessage({id: latest, news: {loaded, total}});
    });
  }
  const ort = await import(`./ort/ort.${provider}.min.mjs`);
  const wasmPaths = new URL('./ort/', import.meta.url).href;
  Object.assign(ort.env.wasm, {numThreads: 1, wasmPaths, wasmBinary: data.wasm});
  ort.env.logLevel = 'error';
  const known = JSON.parse(new TextDecoder().decode(data['model.json']));
  const model = await steps.loadModel(ort, known, name => new Uint8Array(data[name]), provider);
  const apart = await steps.agreement(model);
  if (!(apart < 1e-3)) throw new Error(`Here the model computes something else than torch (${apart} apart).`);
  state.model = model;
  return {known: {...known, side: model.side}, scenes: data['scenes.bin'], provider, apart};
};

const load = async ({device}) => {                // on a graphics card if there is one that counts right
  const listed = await fetch(new URL('files.json', import.meta.url)).catch(() => ({}));
  if (!listed.ok) throw new Error('The list of the files could not be loaded.');
  const {files} = await listed.json();
  if (self.caches) await forgetOthers(files).catch(() => null);
  const adapter = self.navigator.gpu && await navigator.gpu.requestAdapter().catch(() => null);
  const hasCard = adapter && !adapter.info?.isFallbackAdapter;
  if (device === 'webgpu' || hasCard && device !== 'wasm') {
    try {
      return await loadOn('webgpu', files);
    } catch (fault) {
      if (device) throw fault;
    }
  }
  return loadOn('wasm', files);
};

const find = async ({picture, source, target, timesteps, seed, noise}, say) => {
  const {model} = state;
  if (state.picture !== picture.id) {
    Object.assign(state, {picture: picture.id, latents: await model.encodeImage(picture.pixels)});
    state.maps.clear();
    state.paths.clear();
  }
  let computed = 0;
  for (const [k, timestep] of timesteps.entries()) {
    const key = JSON.stringify([source, target, timestep, noise ? 'given' : seed, k]);
    if (!state.maps.has(key)) {
      const drawn = noise ? noise[k] : steps.randomNoise(1000*seed + k, state.latents.length);
      const eps = await steps.predictForPrompts(model, state.latents, [source, target], drawn, timestep);
      state.maps.set(key, steps.noiseDifference(...eps, model.channels));
      computed += 1;
    }
    await say({k, map: state.maps.get(key)});
  }
  return {computed};
};

const edit = async ({picture, target, mask, pixelMask, strength, wanted, scale, every}, say) => {
  const {model, latents, paths} = state;
  const timesteps = steps.ddimTimesteps(model, strength, wanted);
  const total = 2*(timesteps.length - 1);
  const show = async (now, done) => say({done, total, pixels: done % every ? null : await model.decode(now)});
  const key = timesteps.join();
  if (!paths.has(key)) paths.set(key, await steps.ddimEncode(model, latents, timesteps, show));
  const edited = await steps.maskedDecode(model, paths.get(key), timesteps, mask, target, scale,
    (now, k) => (k ? show(now, total - k) : null));
  const decoded = await model.decode(edited);
  return {decoded, pixels: steps.paste(picture.pixels, decoded, steps.feather(pixelMask, model.size))};
};

// ---- one task after the other; a newer one stops the one that runs

const tasks = {load, find, edit};
let [latest, turn] = [0, Promise.resolve()];

self.onmessage = ({data: {id, task, question}}) => {
  latest = id;
  const say = async news => {
    self.postMessage({id, news});
    await new Promise(resume => { setTimeout(resume); });           // time for a newer message
    if (id !== latest) throw stopped;
  };
  turn = turn.then(() => (id === latest ? tasks[task](question, say) : Promise.reject(stopped)))
    .then(answer => self.postMessage({id, answer}), fault => self.postMessage({id, fault: fault.message}));
};
