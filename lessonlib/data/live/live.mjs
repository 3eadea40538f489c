// The page's end of the thread that holds the model, and the few drawings that the pages share.

import {timestepOf} from './diffedit.mjs';

const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];

export const obstacle = () => {                          // why this browser can't, or ''
  if (!self.WebAssembly || !WebAssembly.validate(new Uint8Array(SIMD))) {
    return 'This browser has no WebAssembly with SIMD, which the model needs. A newer one has.';
  }
  return self.DecompressionStream ? '' : 'This browser cannot unpack the model. A newer one can.';
};

export class Live {
  constructor() {
    this.worker = new Worker(new URL('worker.mjs', import.meta.url), {type: 'module'});
    this.asked = new Map();
    this.worker.onmessage = ({data: {id, news, answer, fault}}) => {
      const {heard, resolve, reject} = this.asked.get(id);
      if (news) heard(news);
      else if (fault) reject(new Error(fault));
      else resolve(answer);
    };
    this.worker.onerror = () => {
      for (const {reject} of this.asked.values()) reject(new Error('The script of the model did not start.'));
    };
  }

  ask(task, question, heard = () => null) {              // `heard` gets the news on the way
    const id = this.asked.size + 1;
    return new Promise((resolve, reject) => {
      this.asked.set(id, {heard, resolve, reject});
      this.worker.postMessage({id, task, question});
    });
  }
}

export const scenesOf = ({known, scenes}) => known.scenes.map((scene, k) => {
  const cells = known.size**2;
  return {...scene, id: `scene ${k}`, pixels: new Uint8Array(scenes, 4*cells*k, 3*cells),
    truth: new Uint8Array(scenes, 4*cells*k + 3*cells, cells)};
});

export const timestepsOf = (known, n, method, strength) => {       // one for each of n noises; null: the method's own
  const pair = strength === null && n > 1 && known.strengths[method];
  return Array.from({length: n}, (_, k) => timestepOf(known, pair ? pair[k < Math.ceil(n/2) ? 0 : 1] : strength ?? .5));
};
