// DiffEdit on plain arrays, for a browser's worker and for Node. Each function does what its namesake does in
// lessonlib.diffedit_mask and lessonlib.diffedit: `removeExtremes` here is `remove_extremes` there.
// Latents and noise: Float32Array of 4*32*32. Maps: arrays of 32*32. Pixels: bytes, red, green, blue in turn.

// ---- the model: four graphs, and words

export const loadModel = async (ort, known, read, provider) => {       // `read` gives a graph's bytes
  const parts = {};
  for (const name of ['text_encoder', 'encoder', 'unet', 'decoder']) {
    parts[name] = await ort.InferenceSession.create(read(`${name}.onnx`), {executionProviders: [provider]});
  }
  const run = async (name, inputs) => {
    const tensor = ([values, ...shape]) => new ort.Tensor(values, shape);
    const feeds = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, tensor(value)]));
    return (await parts[name].run(feeds))[parts[name].outputNames[0]].data;
  };
  const {size, channels, tokens, width} = known;
  const side = size/known.factor;
  const vectors = new Map();                      // of each text that was asked for

  const encodeText = async text => {
    if (!vectors.has(text)) {
      const ids = BigInt64Array.from(tokenize(known, text).ids, BigInt);
      vectors.set(text, await run('text_encoder', {ids: [ids, 1, tokens]}));
    }
    return vectors.get(text);
  };
  const encodeImage = pixels => {
    const place = i => 3*(i % (size*size)) + Math.floor(i/size/size);
    const planes = Float32Array.from({length: 3*size*size}, (_, i) => pixels[place(i)]/255);
    return run('encoder', {pixels: [planes, 1, 3, size, size]});
  };
  const predictNoise = async (latents, timestep, texts) => {         // the same timestep for all of them
    const b = texts.length;
    const eps = await run('unet', {
      latents: [joined(latents), b, channels, side, side],
      timestep: [new BigInt64Array(b).fill(BigInt(timestep)), b],
      text: [joined(texts), b, tokens, width],
    });
    return texts.map((_, i) => eps.slice(i*eps.length/b, (i + 1)*eps.length/b));
  };
  const decode = async latents => {
    const planes = await run('decoder', {latents: [latents, 1, channels, side, side]});
    return Uint8Array.from(planes, (_, i) => Math.round(255*planes[(i % 3)*size*size + Math.floor(i/3)]));
  };
  return {...known, side, encodeText, encodeImage, predictNoise, decode};
};

const joined = arrays => {
  const all = new Float32Array(arrays.length*arrays[0].length);
  arrays.forEach((values, i) => all.set(values, i*values.length));
  return all;
};

export const agreement = async model => {         // the largest difference from what torch says of one fixed question
  const latents = Float32Array.from({length: model.channels*model.side**2}, (_, i) => Math.sin(i));
  const [eps] = await model.predictNoise([latents], model.probe.timestep, [await model.encodeText(model.probe.text)]);
  return Math.max(...model.probe.eps.map((value, i) => Math.abs(value - eps[i*model.probe.stride])));
};

// Words of letters, digits, other signs; each merged from its letters by the earliest rule that fits.
export const tokenize = ({vocab, merges, start, end, tokens}, text) => {
  const word = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;
  const words = text.normalize('NFC').toLowerCase().match(word) || [];
  const rank = new Map(merges.map((pair, i) => [pair.join(' '), i]));
  const pieces = letters => {
    const parts = Array.from(new TextEncoder().encode(letters), byte => String.fromCharCode(byte));
    parts.push(`${parts.pop()}</w>`);
    for (;;) {
      const ranks = parts.map((part, i) => rank.get(`${part} ${parts[i + 1]}`) ?? Infinity);
      const first = Math.min(...ranks);
      if (first === Infinity) return parts.map(part => vocab[part] ?? end);
      const i = ranks.indexOf(first);
      parts.splice(i, 2, parts[i] + parts[i + 1]);
    }
  };
  const found = words.map(pieces);
  const ids = found.flat().slice(0, tokens - 2);
  const padded = [start, ...ids, ...Array(tokens - 1 - ids.length).fill(end)];
  const unknown = words.filter((_, i) => found[i].length > 1 || found[i][0] === end);
  return {ids: padded, unknown, left: found.flat().length - ids.length};
};

// ---- noise

export const randomNoise = (seed, length) => {    // from a standard normal distribution, the same for the same seed
  let state = seed;
  const uniform = () => {                         // mulberry32
    state = state + 0x6D2B79F5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0)/4294967296;
  };
  return Float32Array.from({length}, () => Math.sqrt(-2*Math.log(1 - uniform()))*Math.cos(2*Math.PI*uniform()));
};

const evenly = value => {                         // Python's round: a half goes to the even neighbour
  const whole = Math.round(value);
  return whole - value === .5 && whole % 2 ? whole - 1 : whole;
};

export const timestepOf = ({alpha_bar}, strength) => Math.min(evenly(strength*alpha_bar.length), alpha_bar.length - 1);

export const addNoise = ({alpha_bar}, latents, noise, t) => {
  const [signal, sigma] = [Math.sqrt(alpha_bar[t]), Math.sqrt(1 - alpha_bar[t])];
  return latents.map((value, i) => signal*value + sigma*noise[i]);
};

// ---- step 1: the mask

export const predictForPrompts = async (model, latents, prompts, noise, timestep) => {
  const noised = addNoise(model, latents, noise, timestep);
  const texts = [];
  for (const prompt of prompts) texts.push(await model.encodeText(prompt));
  return model.predictNoise(prompts.map(() => noised), timestep, texts);
};

export const noiseDifference = (epsSource, epsTarget, channels) => {
  const cells = epsSource.length/channels;
  return Float32Array.from({length: cells}, (_, i) => {
    let sum = 0;
    for (let c = i; c < epsSource.length; c += cells) sum += Math.abs(epsTarget[c] - epsSource[c]);
    return sum/channels;
  });
};

export const averageDifference = maps => maps[0].map((_, i) => maps.reduce((sum, map) => sum + map[i], 0)/maps.length);

export const removeExtremes = (map, quantile) => {
  const sorted = Float32Array.from(map).sort();
  const place = quantile*(sorted.length - 1);
  const below = sorted[Math.floor(place)];
  const top = below + (place % 1)*(sorted[Math.ceil(place)] - below);
  return map.map(value => Math.min(value, top));
};

export const rescale = values => {
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  return values.map(value => (high > low ? (value - low)/(high - low) : 0));
};

export const paperDifference = (maps, quantile) =>
  rescale(removeExtremes(averageDifference(maps.map(map => removeExtremes(map, quantile))), quantile));

export const twoStrengths = (maps, quantile) => {
  const middle = Math.ceil(maps.length/2);
  const halves = [maps.slice(0, middle), maps.slice(middle)].filter(half => half.length);
  const found = halves.map(half => paperDifference(half, quantile));
  return rescale(found[0].map((_, i) => found.reduce((sum, map) => sum + map[i], 0)));
};

export const enlarge = (values, side, size) => {  // bilinear
  const places = Array.from({length: size}, (_, pixel) => {
    const at = Math.min(Math.max((pixel + .5)*side/size - .5, 0), side - 1);
    return [Math.floor(at), Math.min(Math.floor(at) + 1, side - 1), at % 1];
  });
  const large = new Float64Array(size*size);
  places.forEach(([top, bottom, down], y) => places.forEach(([left, right, along], x) => {
    const above = (1 - along)*values[top*side + left] + along*values[top*side + right];
    const below = (1 - along)*values[bottom*side + left] + along*values[bottom*side + right];
    large[y*size + x] = (1 - down)*above + down*below;
  }));
  return large;
};

const windowMean = (values, size, radius) => {    // by running sums, along the rows and then along the columns
  const along = (from, step, across) => {
    const means = new Float64Array(size*size);
    for (let line = 0; line < size; line++) {
      const sums = [0];
      for (let k = 0; k < size; k++) sums.push(sums[k] + from[line*across + k*step]);
      for (let k = 0; k < size; k++) {
        const [first, last] = [Math.max(k - radius, 0), Math.min(k + radius + 1, size)];
        means[line*across + k*step] = (sums[last] - sums[first])/(last - first);
      }
    }
    return means;
  };
  return along(along(values, 1, size), size, 1);
};

export const guidedFilter = (values, pixels, size, radius, ridge = 1e-3) => {
  const mean = array => windowMean(array, size, radius);
  const times = (a, b) => a.map((value, i) => value*b[i]);
  const image = [0, 1, 2].map(c => Float64Array.from(values, (_, i) => pixels[3*i + c]/255));
  const [color, value] = [image.map(mean), mean(values)];
  const covariance = (a, b, meanA, meanB) => mean(times(a, b)).map((product, i) => product - meanA[i]*meanB[i]);
  const shared = image.map((plane, c) => covariance(plane, values, color[c], value));
  const spread = image.map((one, c) => image.map((other, d) => covariance(one, other, color[c], color[d])));
  const slope = [0, 1, 2].map(() => new Float64Array(size*size));
  const offset = value.map((center, i) => {
    const rows = spread.map((row, c) => row.map((plane, d) => plane[i] + (c === d ? ridge : 0)));
    const solved = solve(rows, shared.map(plane => plane[i]));
    solved.forEach((number, c) => { slope[c][i] = number; });
    return center - solved.reduce((sum, number, c) => sum + number*color[c][i], 0);
  });
  const slopes = slope.map(mean);
  return mean(offset).map((rest, i) => slopes.reduce((sum, plane, c) => sum + plane[i]*image[c][i], rest));
};

const cross = (a, b) => [a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]];
const dot = (a, b) => a[0]*b[0] + a[1]*b[1] + a[2]*b[2];
const solve = ([a, b, c], wanted) => {            // three equations whose matrix is symmetric, by Cramer's rule
  const volume = dot(a, cross(b, c));
  return [dot(wanted, cross(b, c))/volume, dot(a, cross(wanted, c))/volume, dot(a, cross(b, wanted))/volume];
};

export const touched = (pixelMask, size, factor) => Uint8Array.from({length: (size/factor)**2}, (_, i) => {
  const [row, column] = [Math.floor(i*factor/size)*factor, i % (size/factor)*factor];
  for (let p = 0; p < factor*factor; p++) {
    if (pixelMask[(row + Math.floor(p/factor))*size + column + p % factor]) return 1;
  }
  return 0;
});

export const binarize = (values, threshold) => Uint8Array.from(values, value => value > threshold);

// What `DiffEditMask` holds: the map of all maps, the same at the picture's size, the mask there and on the latents.
export const makeMask = ({size, side, factor, radius}, maps, pixels, {method, quantile, threshold}) => {
  const difference = (method === 'guided' ? twoStrengths : paperDifference)(maps, quantile);
  const large = enlarge(difference, side, size);
  const guided = method === 'guided';
  const pixelDifference = guided ? guidedFilter(large, pixels, size, radius*factor) : large;
  const pixelMask = binarize(pixelDifference, threshold);
  return {difference, pixelDifference, pixelMask,
    mask: guided ? touched(pixelMask, size, factor) : binarize(difference, threshold)};
};

export const iou = (a, b) => {
  let [both, either] = [0, 0];
  a.forEach((inside, i) => {
    both += inside && b[i];
    either += inside || b[i];
  });
  return either ? both/either : 1;
};

// ---- steps 2 and 3: encode, and decode inside of the mask

export const ddimTimesteps = (model, strength, wanted) => {
  const top = Math.max(1, timestepOf(model, strength));
  const steps = Math.min(top, Math.max(1, evenly(strength*wanted)));
  return Array.from({length: steps + 1}, (_, k) => evenly(top*k/steps));
};

export const ddimStep = ({alpha_bar}, latents, eps, t, to) => {
  const [signal, sigma] = [Math.sqrt(alpha_bar[t]), Math.sqrt(1 - alpha_bar[t])];
  return addNoise({alpha_bar}, latents.map((value, i) => (value - sigma*eps[i])/signal), eps, to);
};

export const ddimEncode = async (model, latents, timesteps, shown) => {
  const [path, noWords] = [[latents], await model.encodeText('')];
  for (let k = 1; k < timesteps.length; k++) {
    const [eps] = await model.predictNoise([path[k - 1]], timesteps[k], [noWords]);
    path.push(ddimStep(model, path[k - 1], eps, timesteps[k - 1], timesteps[k]));
    await shown(path[k], k);
  }
  return path;
};

export const guide = (uncond, text, scale) => uncond.map((value, i) => value + scale*(text[i] - value));

export const maskedDecode = async (model, path, timesteps, mask, prompt, scale, shown) => {
  const texts = [await model.encodeText(''), await model.encodeText(prompt)];
  let latents = path[path.length - 1];
  for (let k = timesteps.length - 2; k >= 0; k--) {
    const [uncond, text] = await model.predictNoise([latents, latents], timesteps[k + 1], texts);
    const stepped = ddimStep(model, latents, guide(uncond, text, scale), timesteps[k + 1], timesteps[k]);
    latents = stepped.map((value, i) => (mask[i % mask.length] ? value : path[k][i]));     // M y + (1 - M) x
    await shown(latents, k);
  }
  return latents;
};

export const feather = (mask, size) => mask.map((inside, i) => {       // half weight beside what stays, times two
  if (!inside) return 0;
  for (const y of [-1, 0, 1]) {
    for (const x of [-1, 0, 1]) {
      const [row, column] = [Math.floor(i/size) + y, i % size + x];
      if (Math.min(row, column) >= 0 && Math.max(row, column) < size && !mask[row*size + column]) return 1;
    }
  }
  return 2;
});

export const paste = (image, edited, weight) =>
  image.map((byte, i) => Math.round(byte + weight[Math.floor(i/3)]/2*(edited[i] - byte)));
