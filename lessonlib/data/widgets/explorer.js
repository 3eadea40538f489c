// Two typed shapes, explained. What is said and drawn is what `explain_broadcast` in lessonlib.broadcasting says,
// drawn as `broadcast_html` in lessonlib.reports draws it. Numbers of elements are BigInts: shapes may be huge.
(() => {
  const ID = '@ID@';
  const STYLES = '@STYLES@';                     // the rules of cells.css by name
  const NAMES = ['a', 'b'];
  const DRAWN = 48n;                             // cells of the largest result that is drawn whole

  // ---- shapes

  const parse = text => {                        // '(3, 1)', '3, 1' or '3 1' -> [3, 1]; null for what is no size
    const inner = text.trim().replace(/^\(|\)$/g, '').replace(/,\s*$/, '').trim();
    if (!inner) return [];
    return inner.split(/[\s,]+/).map(part => /^\d{1,9}$/.test(part) ? Number(part) : null);
  };
  const tuple = shape => shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const elements = shape => shape.reduce((n, size) => n*BigInt(size), 1n);
  const strides = shape => shape.map((_, axis) => elements(shape.slice(axis + 1).map(size => Math.max(size, 1))));
  const padded = (shape, rank) => [...Array(rank - shape.length).fill(1), ...shape];

  const align = shapes => {                      // a size for each axis, null where two clash
    const rank = Math.max(...shapes.map(shape => shape.length));
    const rows = shapes.map(shape => padded(shape, rank));
    return Array.from({length: rank}, (_, axis) => {
      const sizes = [...new Set(rows.map(row => row[axis]).filter(size => size !== 1))];
      if (sizes.length > 1) return null;
      return sizes.length ? sizes[0] : 1;
    });
  };

  const fate = (own, size) => {                  // what happens to a size: words and kind
    const grown = size === 1 || size === null ? '1' : `1 → ${size}`;
    if (own === undefined) return [grown, 'added'];
    if (own === 1 && size !== 1 && size !== null) return [grown, 'stretched'];
    return [`${own}`, size === null && own !== 1 ? 'clash' : 'kept'];
  };

  // ---- the smallest fix

  const index = (rank, place, units) => {        // the words that put new axes at a place
    const none = Array(units).fill('None');
    if (place === rank && rank > 1) return ['...', ...none].join(', ');
    return [...Array(place).fill(':'), ...none, ...Array(rank - place).fill(':')].join(', ');
  };

  const offers = (shape, name, most) => {        // [new axes, shape, words] for each change of one operand
    const rank = shape.length;
    const found = [];
    for (let units = 1; units <= most; units++) {
      for (let place = rank; place > 0; place--) {
        const changed = [...shape.slice(0, place), ...Array(units).fill(1), ...shape.slice(place)];
        found.push([units, changed, `${name}[${index(rank, place, units)}]`]);
      }
      if (units === 1 && rank === 2) found.push([1, [shape[1], shape[0]], `${name}.T`]);
    }
    return found;
  };

  const better = (one, two) => {                 // keys of numbers, the first difference decides
    const i = one.findIndex((value, i) => value !== two[i]);
    return i >= 0 && one[i] < two[i];
  };

  const fix = shapes => {                        // fewest cells first, then fewest new axes, then b before a
    const most = Math.max(...shapes.map(shape => shape.length));
    let best = null;
    shapes.forEach((own, which) => offers(own, NAMES[which], most).forEach(([units, shape, words], order) => {
      const result = align(shapes.map((other, i) => i === which ? shape : other));
      if (result.includes(null)) return;
      const key = [elements(result), units, -which, order];
      if (!best || better(key, best.key)) best = {key, words, shape, result};
    }));
    return best;
  };

  // ---- HTML

  const escaped = text => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const styled = (tag, style, inner) => `<${tag} style="${style}">${inner}</${tag}>`;
  const tableOf = rows =>
    `<table data-quarto-disable-processing="true" style="${STYLES.table}">${rows.join('')}</table>`;
  const words = text => styled('pre', STYLES.words, escaped(text));

  const shapeTable = rows => {                   // rows of [name, [[text, kind], ...], note]
    const line = (name, cells, note) => styled('tr', STYLES.row,
      styled('th', STYLES.name, name) + cells.join('') + styled('td', STYLES.note, escaped(note)));
    const rank = rows[0][1].length;
    const head = rows[0][1].map((_, i) => styled('td', STYLES.axis, `axis ${i - rank}`));
    const size = ([text, kind]) => styled('td', `${STYLES.size} ${STYLES[kind]}`, text);
    return tableOf([line('', head, ''), ...rows.map(([name, cells, note]) => line(name, cells.map(size), note))]);
  };

  const shade = n => `${n*137n % 360n} 75% ${80n - n % 3n*6n}%`;
  const paint = (number, pale) => {              // one colour, or a slanted cut of two; null for none
    if (number === null) return '';
    if (Array.isArray(number)) {
      const stops = number.map((n, k) => `hsl(${shade(n)}) ${50*k}% ${50*(k + 1)}%`);
      return `background: linear-gradient(135deg, ${stops.join(', ')}); ${STYLES.ink}`;
    }
    return pale ? `background: hsl(${shade(number)} / .3);` : `background: hsl(${shade(number)}); ${STYLES.ink}`;
  };
  const cell = ({text, number, pale}) => {
    const rim = pale === null ? '' : STYLES[pale ? 'again' : 'first'];
    return styled('td', `${STYLES.cell} ${rim} ${paint(number, pale)}`, text);
  };
  const GAP = {text: '…', number: null, pale: null};   // what is left out

  const depth = cells => Array.isArray(cells) ? 1 + depth(cells[0]) : 0;
  const sheetsOf = cells => depth(cells) < 3 ? sheetsOf([cells]) : cells;
  const grid = (title, cells) => {               // nested lists of cells as sheets of rows
    const rows = sheet => sheet.map(row => styled('tr', STYLES.row, row.map(cell).join('')));
    const tables = sheetsOf(cells).map(sheet => tableOf(rows(sheet)));
    return `<div>${styled('div', STYLES.title, title)}${tables.join('')}</div>`;
  };

  const drawnOf = result => {                    // which places of each axis are drawn; null for those left out
    const whole = elements(result) <= DRAWN;
    return result.map(size => whole || size <= 4 ? [...Array(size).keys()] : [0, 1, null, size - 1]);
  };

  const placesOf = (axes, steps, place) => {     // nested: which element each drawn cell reads, one gap for a sheet
    if (!axes.length) return place;
    const [axis, ...rest] = place === null && axes.length > 1 ? axes.map(() => [null]) : axes;
    const next = n => n === null || place === null ? null : place + BigInt(n)*steps[0];
    return axis.map(n => placesOf(rest, steps.slice(1), next(n)));
  };

  const both = (one, two, make) =>               // two nested lists as one
    Array.isArray(one) ? one.map((part, n) => both(part, two[n], make)) : make(one, two);

  const drawing = (shapes, result, steps) => {
    if (elements(result) === 0n) return words('not drawn: the result has no elements');
    if (result.length > 3) return words('not drawn: more than 3 axes');
    const axes = drawnOf(result);
    const first = [0n, elements(shapes[0])];     // the number of each operand's first colour
    const places = steps.map(own => placesOf(axes, own, 0n));
    const operands = shapes.map((shape, i) => {
      const seen = new Set();
      const cells = both(places[i], places[i], place => {
        if (place === null) return GAP;
        const pale = seen.has(place);
        seen.add(place);
        return {text: `${place}`, number: first[i] + place, pale};
      });
      const read = tuple(shape) === tuple(result) ? '' : ` read as ${tuple(result)}`;
      return grid(`${NAMES[i]} ${tuple(shape)}${read}`, cells);
    });
    const meeting = both(...places, (a, b) =>
      a === null ? GAP : {text: `a${a} b${b}`, number: [a, first[1] + b], pale: false});
    const grids = [...operands, grid(`result ${tuple(result)}`, meeting)];
    const short = axes.some(axis => axis.includes(null));
    const note = short ? words('drawn shortened: … is what was left out') : '';
    return `${note}<div class="lessonlib-cells" style="${STYLES.grids}">${grids.join('')}</div>`;
  };

  // ---- the answer

  const clashWords = (shapes, sizes, axis) => {
    const found = fix(shapes);
    const said = NAMES.map((name, i) => `${name} of shape ${tuple(shapes[i])} has size ${sizes[i]}`);
    return [`axis ${axis}: ${said.join(', ')};`, 'sizes must be equal, or one of them 1',
            `smallest fix: ${found.words} has shape ${tuple(found.shape)}, and the result ${tuple(found.result)}`];
  };

  const fitWords = (shapes, fates, result) => {
    const rank = result.length;
    const said = {added: axis => [`axis ${axis - rank} added`],
                  stretched: axis => [`axis ${axis - rank} stretched to ${result[axis]}`],
                  kept: () => []};
    const notes = fates.map(cells => cells.flatMap(([, kind], axis) => said[kind](axis)));
    const lines = notes.flatMap((list, i) => list.length ? [`${NAMES[i]}: ${list.join(', ')}`] : []);
    const cells = elements(result);
    const stored = elements(shapes[0]) + elements(shapes[1]);
    const full = cells*2n;
    return [...lines, `elements of the result: ${cells}; stored by the operands: ${stored} (${stored*4n} bytes);`,
            `full copies would store ${full} (${full*4n} bytes)`];
  };

  const explain = shapes => {
    const result = align(shapes);
    const rank = result.length;
    const clash = result.indexOf(null);
    const own = shapes.map(shape => result.map((_, axis) => shape[axis - rank + shape.length]));
    const fates = own.map(sizes => sizes.map((size, axis) => fate(size, result[axis])));
    const before = shapes.map(strides);
    const steps = shapes.map((shape, i) => fates[i].map(([, kind], axis) =>
      kind === 'kept' ? before[i][axis - rank + shape.length] : 0n));
    const note = i => clash >= 0 ? '' : `strides ${tuple(before[i])} -> ${tuple(steps[i])}`;
    const rows = shapes.map((_, i) => [NAMES[i], fates[i], note(i)]);
    rows.push(['result', result.map(size => size === null ? ['?', 'clash'] : [`${size}`, 'result']), '']);
    if (clash >= 0) {
      const lines = clashWords(shapes, own.map(sizes => sizes[clash]), clash - rank);
      return shapeTable(rows) + words(lines.join('\n'));
    }
    return shapeTable(rows) + words(fitWords(shapes, fates, result).join('\n')) + drawing(shapes, result, steps);
  };

  const answer = texts => {
    const shapes = texts.map(parse);
    const wrong = shapes.findIndex(shape => shape.includes(null) || shape.length > 8);
    if (wrong < 0) return explain(shapes);
    return words(`${NAMES[wrong]}: expected up to 8 whole numbers such as (3, 1), got ${texts[wrong]}`);
  };

  for (const root of document.querySelectorAll(`[data-explorer="${ID}"]`)) {
    const inputs = [...root.querySelectorAll('input')];
    const out = root.querySelector('[data-out]');
    const reach = () => {                        // what is wider than its box can be scrolled with the arrow keys
      out.tabIndex = out.scrollWidth > out.clientWidth ? 0 : -1;
    };
    const update = () => {
      out.innerHTML = answer(inputs.map(input => input.value));
      reach();
    };
    for (const input of inputs) input.addEventListener('input', update);
    reach();
  }
})();
