// The home page's horse, found anew in the reader's browser. The model is loaded at the first call.
import {makeMask} from './diffedit.mjs';
import {Live, obstacle, scenesOf, timestepsOf} from './live.mjs';

const METHOD = 'guided';
const live = new Live();
let loading = null;

export const findLive = async (subject, heard) => {      // heard({loaded, total}), then heard({k, n, pixelDifference})
  if (obstacle()) throw new Error(obstacle());
  loading ??= live.ask('load', {}, heard);
  const answer = await loading.catch(fault => {
    loading = null;                                      // the next click tries again
    throw fault;
  });
  const {known} = answer;
  const picture = scenesOf(answer).find(scene => scene.subject === subject);
  const options = {method: METHOD, quantile: known.quantile, threshold: known.thresholds[METHOD]};
  const timesteps = timestepsOf(known, 10, METHOD, null);
  const [maps, began] = [[], performance.now()];
  const question = {picture, source: picture.source, target: picture.target, timesteps, seed: 0};
  await live.ask('find', question, ({k, map}) => {
    maps[k] = map;
    heard({k, n: timesteps.length, pixelDifference: makeMask(known, maps, picture.pixels, options).pixelDifference});
  });
  return (performance.now() - began)/1000;
};
