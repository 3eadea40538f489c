// The mask that follows its sliders. The numbers are those of `paper_difference` in lessonlib.diffedit_mask:
// clip each map at a quantile, average, clip the average, rescale to 0 ... 1; then upsample and compare.
(() => {
  const ID = '@ID@';
  const data = '@DATA@';                         // cells, size, state, maps, truth, colors, maskColor, picture
  const [h, w] = data.cells;                     // of a map
  const [width, height] = data.size;             // of the picture
  const sum = numbers => numbers.reduce((a, b) => a + b, 0);

  // ---- from the maps to the mask

  const quantile = (values, q) => {              // between two numbers: interpolated, as torch does
    const sorted = Float64Array.from(values).sort();
    const rank = q*(sorted.length - 1);
    const weight = rank - Math.floor(rank);
    const low = sorted[Math.floor(rank)];
    const high = sorted[Math.ceil(rank)];
    return weight < .5 ? low + weight*(high - low) : high - (high - low)*(1 - weight);
  };

  const clipTop = (values, q) => {
    const top = quantile(values, q);
    return values.map(value => Math.min(value, top));
  };

  const combine = (maps, q) => {                 // (n, h*w) -> (h*w) in 0 ... 1
    const clipped = maps.map(values => clipTop(values, q));
    const average = clipTop(clipped[0].map((_, i) => sum(clipped.map(values => values[i]))/maps.length), q);
    const low = Math.min(...average);
    const high = Math.max(...average);
    return average.map(value => high > low ? (value - low)/(high - low) : 0);
  };

  const neighbours = (cells, pixels) => Array.from({length: pixels}, (_, pixel) => {
    const at = Math.max(cells/pixels*(pixel + .5) - .5, 0);
    const first = Math.min(Math.floor(at), cells - 1);
    return [first, Math.min(first + 1, cells - 1), at - first];   // two cells and the second's weight
  });
  const rows = neighbours(h, height);
  const columns = neighbours(w, width);
  const upsample = values => rows.flatMap(([top, bottom, down]) => columns.map(([left, right, along]) => {
    const above = (1 - along)*values[top*w + left] + along*values[top*w + right];
    const below = (1 - along)*values[bottom*w + left] + along*values[bottom*w + right];
    return (1 - down)*above + down*below;
  }));

  // ---- the exact mask: its runs, the score against it, its outline

  const truth = data.truth && data.truth.flatMap((length, i) => Array(length).fill(i % 2 === 1));

  const iou = mask => {
    const both = sum(mask.map((inside, i) => inside && truth[i]));
    const either = sum(mask.map((inside, i) => inside || truth[i]));
    return either ? both/either : 1;
  };

  const reach = Math.max(1, Math.round(width/128));
  const outside = (x, y) => x < 0 || y < 0 || x >= width || y >= height || !truth[y*width + x];
  const outline = truth && truth.map((inside, i) => {             // white just inside the edge, black just outside
    const x = i % width;
    const y = (i - x)/width;
    const around = [[reach, 0], [-reach, 0], [0, reach], [0, -reach]].map(([dx, dy]) => outside(x + dx, y + dy));
    return inside ? around.includes(true) && 255 : around.includes(false) && 1;
  });

  // ---- drawing

  const rgb = hex => [0, 2, 4].map(i => parseInt(hex.slice(i, i + 2), 16));
  const colors = data.colors.map(rgb);
  const maskColor = rgb(data.maskColor);
  const picture = new Image();

  const paint = (canvas, canvasWidth, canvasHeight, colorAt) => {
    [canvas.width, canvas.height] = [canvasWidth, canvasHeight];
    const pixels = new ImageData(canvasWidth, canvasHeight);
    for (let i = 0; i < canvasWidth*canvasHeight; i++) pixels.data.set(colorAt(i), 4*i);
    canvas.getContext('2d').putImageData(pixels, 0, 0);
  };

  const start = root => {
    const state = {...data.state};               // n, quantile, threshold: what the sliders say
    const mapCanvas = root.querySelector('[data-draw=map]');
    const maskCanvas = root.querySelector('[data-draw=mask]');
    const layer = document.createElement('canvas');

    const redraw = () => {
      const difference = combine(data.maps.slice(0, state.n), state.quantile);
      const mask = upsample(difference).map(value => value > state.threshold);
      paint(mapCanvas, w, h, i => [...colors[Math.round(difference[i]*(colors.length - 1))], 255]);
      paint(layer, width, height, i => truth && outline[i] ? [outline[i], outline[i], outline[i], 255]
                                                           : [...maskColor, mask[i] ? 128 : 0]);
      [maskCanvas.width, maskCanvas.height] = [width, height];
      const context = maskCanvas.getContext('2d');
      if (picture.complete) context.drawImage(picture, 0, 0, width, height);
      context.drawImage(layer, 0, 0);
      say(mask);
    };

    const say = mask => {
      for (const value of root.querySelectorAll('[data-value]')) value.textContent = state[value.dataset.value];
      const count = sum(mask);
      root.dataset.pixels = count;
      if (truth) root.dataset.iou = iou(mask);
      root.querySelector('[data-score]').textContent =
        (truth ? `IoU ${iou(mask).toFixed(3)}, ` : '') + `${count} of ${width*height} px in the mask`;
    };

    for (const slider of root.querySelectorAll('input'))
      slider.addEventListener('input', () => {
        state[slider.name] = Number(slider.value);
        redraw();
      });
    picture.addEventListener('load', redraw);
    redraw();
  };

  for (const root of document.querySelectorAll(`[data-live-mask="${ID}"]`)) {
    if (root.live) continue;                     // its twin's script has been here
    root.live = true;
    start(root);
  }
  picture.src = data.picture;
})();
