// The mask that follows one slider, and the picture before and after, at the top of the home page.
// A pixel is in the mask where its difference is above the threshold, as in lessonlib.diffedit_mask; the score is
// counted on the pixels of the picture, and only what is drawn is finer.
(() => {
  const SIDE = 128;                              // of the picture and the map
  const FINE = 512;                              // of the canvas
  const COLOR = [230, 0, 126];                   // MASK_COLOR of lessonlib.show
  const root = document.querySelector('[data-hero]');
  const find = selector => root.querySelector(selector);
  const subjects = JSON.parse(find('script[type="application/json"]').textContent);
  const slider = find('[data-threshold]');
  const swipe = find('[data-swipe]');
  const context = find('canvas').getContext('2d');
  const base = document.createElement('canvas').getContext('2d');
  [base.canvas.width, base.canvas.height] = [FINE, FINE];
  let now = null;                                // the subject that is shown

  const say = (name, text) => {
    for (const place of root.querySelectorAll(`[data-say="${name}"]`)) place.textContent = text;
  };
  const withArticle = name => (/^[aeiou]/.test(name) ? 'an ' : 'a ') + name;

  // ---- numbers

  const bytes = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0));

  const smooth = map => {                        // between the centres of four pixels, as a picture is enlarged
    const places = Array.from({length: FINE}, (_, pixel) => {
      const at = Math.min(Math.max((pixel + .5)*SIDE/FINE - .5, 0), SIDE - 1);
      return [Math.floor(at), Math.min(Math.floor(at) + 1, SIDE - 1), at - Math.floor(at)];
    });
    const fine = new Float32Array(FINE*FINE);
    places.forEach(([top, bottom, down], y) => places.forEach(([left, right, along], x) => {
      const above = (1 - along)*map[top*SIDE + left] + along*map[top*SIDE + right];
      const below = (1 - along)*map[bottom*SIDE + left] + along*map[bottom*SIDE + right];
      fine[y*FINE + x] = ((1 - down)*above + down*below)/255;
    }));
    return fine;
  };

  const iou = threshold => {
    let [both, either] = [0, 0];
    now.bytes.forEach((value, i) => {
      const inside = value > threshold*255;
      both += inside && now.inside[i];
      either += inside || now.inside[i];
    });
    return either ? both/either : 1;
  };

  // ---- drawing

  const redraw = () => {
    const threshold = Number(slider.value);
    context.drawImage(base.canvas, 0, 0);
    const pixels = context.getImageData(0, 0, FINE, FINE);
    const cover = value => Math.min(Math.max((value - threshold)*16 + .5, 0), 1);
    const inside = i => now.fine[i] > threshold;
    for (let i = 0; i < FINE*FINE; i++) {
      const weight = .62*cover(now.fine[i]);
      const edge = inside(i) && !(inside(i - 2) && inside(i + 2) && inside(i - 2*FINE) && inside(i + 2*FINE));
      for (let c = 0; c < 3; c++) {
        const mixed = pixels.data[4*i + c]*(1 - weight) + COLOR[c]*weight;
        pixels.data[4*i + c] = edge ? 255 : mixed;
      }
    }
    context.putImageData(pixels, 0, 0);
    const score = iou(threshold);
    root.dataset.iou = score;
    say('threshold', threshold.toFixed(2));
    say('iou', score.toFixed(2));
    say('words', words(threshold, score));
    find('[data-bar]').style.width = `${100*score}%`;
  };

  const words = (threshold, score) => {
    if (score > .95) return 'almost perfect: 1 would be';
    if (score >= now.iou - .02) return 'a good fit: 1 is perfect';
    return threshold < now.threshold ? 'too much is in the mask' : 'too little is in the mask';
  };

  const divide = () => {
    swipe.parentElement.style.setProperty('--at', `${swipe.value}%`);
  };

  // ---- found anew: the model is loaded at the first click, and its maps take the place of the one that came along

  const live = find('[data-find]');
  const note = text => say('live', text);

  const findLive = async () => {
    const asked = now;
    live.disabled = true;
    note('Loading the model ...');
    try {
      const home = await import('./live/home.mjs');
      const seconds = await home.findLive(asked.subject, ({loaded, total, k, n, pixelDifference}) => {
        if (total) note(`Loading the model: ${(loaded/1e6).toFixed(0)} of ${(total/1e6).toFixed(0)} MB`);
        if (!n || asked !== now) return;
        now.bytes = Uint8ClampedArray.from(pixelDifference, value => 255*value);
        now.fine = smooth(now.bytes);
        redraw();
        note(`Noise ${k + 1} of ${n}`);
      });
      const before = asked.iou.toFixed(2);
      note(`Found in your browser in ${seconds.toFixed(1)} s. What came with the page has an IoU of ${before}.`);
    } catch (fault) {
      note(location.protocol === 'file:' ? 'This needs a web server: from a file no browser loads the model.'
        : `${fault.message} The mask above came with the page.`);
    }
    live.disabled = false;
  };
  if (live) live.addEventListener('click', findLive);

  // ---- choosing

  const choose = index => {
    now = subjects[index];
    now.bytes = now.bytes || bytes(now.map);
    now.fine = now.fine || smooth(now.bytes);
    now.inside = now.inside || now.truth.flatMap((length, i) => Array(length).fill(i % 2 === 1));
    slider.value = now.threshold;
    if (live && !live.disabled) note('');
    root.querySelectorAll('[data-choose]').forEach((button, i) => button.setAttribute('aria-pressed', i === index));
    const [subject, target] = [withArticle(now.subject), withArticle(now.target)];
    say('the', `the ${now.subject}`);
    say('subject', subject);
    say('target', target);
    const after = find('[data-picture=edit]');
    [after.src, after.alt] = [now.edit, `After: ${target} in the place of the ${now.subject}`];
    const before = find('[data-picture=picture]');
    [before.src, before.alt] = [now.picture, `Before: ${subject}`];
    const picture = new Image();
    picture.addEventListener('load', () => {
      if (picture.src !== now.picture) return;   // another was chosen meanwhile
      base.imageSmoothingQuality = 'high';
      base.drawImage(picture, 0, 0, FINE, FINE);
      redraw();
    });
    picture.src = now.picture;
  };

  root.querySelectorAll('[data-choose]').forEach((button, i) => button.addEventListener('click', () => choose(i)));
  slider.addEventListener('input', redraw);
  swipe.addEventListener('input', divide);
  divide();
  choose(0);
})();
