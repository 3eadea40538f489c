// What test_live_diffedit.py asks Node: the page's own steps with the page's own files, for noise that it is given.
//     node tests/live_node.mjs RUNTIME_FOLDER MODEL_FOLDER < question.json > answer.json
import {readFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import * as steps from '../lessonlib/data/live/diffedit.mjs';

const [runtime, folder] = process.argv.slice(2);
const ort = await import(pathToFileURL(`${runtime}/ort.wasm.min.mjs`).href);
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = pathToFileURL(`${runtime}/`).href;
const known = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8'));
const model = await steps.loadModel(ort, known, name => new Uint8Array(readFileSync(`${folder}/${name}`)), 'wasm');
const question = JSON.parse(readFileSync(0, 'utf8'));
const answer = {apart: await steps.agreement(model), found: [], side: model.side};
answer.tokens = question.texts.map(text => steps.tokenize(known, text));
answer.rounded = question.ways.map(([strength, wanted]) => steps.ddimTimesteps(model, strength, wanted));
answer.noise = Array.from(steps.randomNoise(3, 100_000));
for (const {pixels, truth, prompts, noise, timesteps, options, edit} of question.scenes) {
  const latents = await model.encodeImage(pixels);
  const maps = [];
  for (const [k, timestep] of timesteps.entries()) {
    const eps = await steps.predictForPrompts(model, latents, prompts, Float32Array.from(noise[k]), timestep);
    maps.push(steps.noiseDifference(...eps, known.channels));
  }
  const mask = steps.makeMask(model, maps, pixels, options);
  const ways = steps.ddimTimesteps(model, edit.strength, edit.wanted);
  const path = await steps.ddimEncode(model, latents, ways, () => null);
  const decoded = await model.decode(
    await steps.maskedDecode(model, path, ways, mask.mask, prompts[1], edit.scale, () => null));
  const edited = steps.paste(Uint8Array.from(pixels), decoded, steps.feather(mask.pixelMask, known.size));
  const all = {latents, difference: mask.difference, pixelDifference: mask.pixelDifference,
    mask: mask.mask, pixelMask: mask.pixelMask, edited};
  answer.found.push({maps: maps.map(map => Array.from(map)), iou: steps.iou(mask.pixelMask, truth),
    ...Object.fromEntries(Object.entries(all).map(([name, values]) => [name, Array.from(values)]))});
}
process.stdout.write(JSON.stringify(answer));
