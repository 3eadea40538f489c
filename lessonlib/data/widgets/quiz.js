// Draws the questions in every place of the page that waits for them; the plain text that stood there goes.
// What is clicked or typed is judged as `quiz.ask` in lessonlib.quiz judges it, without a kernel.
(() => {
  const ID = '@ID@';
  const QUIZ = '@DATA@';                         // title, questions

  const make = (tag, parts, ...children) => {
    const element = Object.assign(document.createElement(tag), parts);
    element.append(...children);
    if (tag === 'button' || tag === 'input') {
      element.dataset.lmSuppressShortcuts = true;              // its keys are no shortcuts of JupyterLab
    }
    return element;
  };
  const live = parts => {                        // what comes to stand there is read aloud
    const element = make('div', parts);
    element.setAttribute('role', 'status');
    element.setAttribute('aria-live', 'polite');
    return element;
  };

  // ---- what is typed

  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const number = text => {                       // 12, .25, 1e3 or 1/4; NaN for anything else
    const parts = text.split('/').map(part => NUMBER.test(part.trim()) ? Number(part) : NaN);
    return parts.length > 2 ? NaN : parts[0]/(parts[1] ?? 1);
  };
  const sizes = text => {                        // (2, 3), [2, 3], 2,3 or 2 3; null for anything else
    const inner = text.trim().replace(/^[([]|[)\]]$/g, '').replace(/,\s*$/, '').trim();
    const parts = inner ? inner.split(/[\s,]+/) : [];
    return text.trim() && parts.every(part => /^-?\d+$/.test(part)) ? parts.map(Number) : null;
  };
  const letters = text => text.replace(/\s+/g, '').toLowerCase();

  const isRight = (text, asked) => {
    if (asked.span) return asked.span[0] <= number(text) && number(text) <= asked.span[1];
    return asked.sizes ? String(sizes(text)) === String(asked.sizes) : letters(text) === asked.letters;
  };

  const direction = (text, asked) => {           // what is said to a typed answer that is not right
    if (asked.span && Number.isNaN(number(text))) return 'Type a number.';
    if (asked.span) return number(text) < asked.span[0] ? 'Too small.' : 'Too large.';
    if (!asked.sizes) return '';
    const typed = sizes(text);
    const wanted = asked.sizes;
    if (typed === null) return 'Type whole numbers, such as (2, 3).';
    if (typed.length !== wanted.length) return `You typed ${typed.length} of ${wanted.length} numbers.`;
    const axis = wanted.findLastIndex((size, i) => size !== typed[i]) - wanted.length;
    return `Look at axis ${axis} again.`;
  };

  // ---- one question

  const questionBox = (asked, changed) => {      // `changed` is called after each answer
    const said = live({className: 'Feedback'});
    const box = make('fieldset', {className: 'Question'}, make('legend', {innerHTML: asked.text}));
    const wrong = new Set();                     // replies so far

    const say = text => {
      said.innerHTML = text;
      for (const table of said.querySelectorAll('pre')) {
        if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;         // arrow keys scroll it
      }
    };

    const answer = (element, reply, right, words) => {
      const others = wrong.size - wrong.has(reply);
      const told = right || box.dataset.right || others || !asked.hint;     // the hint comes first
      const more = told ? asked.why : `<b>Hint.</b> ${asked.hint}`;
      if (right) box.dataset.right ||= wrong.size ? 'later' : 'at once';
      else wrong.add(reply);
      element.dataset.verdict = right ? 'right' : 'wrong';
      said.dataset.verdict = element.dataset.verdict;
      say(`<b>${right ? '✓ Right.' : '✗ Not yet.'}</b> ${words} ${more}`);
      changed();
    };

    const option = ([text, words], n) => {
      const button = make('button', {type: 'button', innerHTML: text});
      button.addEventListener('click', () => answer(button, n, n === asked.right, words));
      return button;
    };

    const field = () => {                        // Enter, or the button, checks what is typed
      const input = make('input', {autocomplete: 'off', spellcheck: false});
      input.setAttribute('aria-label', box.firstChild.textContent);
      input.setAttribute('autocapitalize', 'off');
      const check = () => {
        const right = isRight(input.value, asked);
        if (!input.value.trim()) said.textContent = 'Type an answer first.';
        else answer(input, letters(input.value), right, right ? '' : direction(input.value, asked));
      };
      const button = make('button', {type: 'button', textContent: 'Check'});
      button.addEventListener('click', check);
      input.addEventListener('keydown', event => { // a form's own Enter does not come through in JupyterLab
        if (event.key === 'Enter') check();
      });
      return make('div', {className: 'Typed'}, input, button);
    };

    const row = asked.options ? make('div', {className: 'Options'}, ...asked.options.map(option)) : field();
    if (asked.hint) {
      const hint = make('button', {type: 'button', className: 'Hint', textContent: 'Hint'});
      hint.addEventListener('click', () => {
        delete said.dataset.verdict;
        say(`<b>Hint.</b> ${asked.hint}`);
      });
      row.append(hint);
    }
    box.append(row, said);
    return box;
  };

  // ---- all of them

  const start = root => {
    const board = make('div', {className: 'Board'});
    const score = live({className: 'Score'});
    const count = () => {
      const right = board.querySelectorAll('[data-right]').length;
      const once = board.querySelectorAll('[data-right="at once"]').length;
      score.textContent = `${right} of ${QUIZ.questions.length} right`
        + (once < right ? `, ${once} at the first try` : '');
    };
    const reset = () => {
      board.replaceChildren(...QUIZ.questions.map(asked => questionBox(asked, count)));
      count();
    };
    const again = make('button', {type: 'button', className: 'Again', textContent: 'Start again'});
    again.addEventListener('click', reset);
    root.setAttribute('role', 'group');
    root.setAttribute('aria-label', QUIZ.title || 'Quiz');
    if (QUIZ.title) root.append(make('p', {className: 'Title', textContent: QUIZ.title}));
    root.append(board, make('div', {className: 'End'}, score, again));
    reset();
  };

  for (const root of document.querySelectorAll(`[data-quiz="${ID}"]`)) {
    const text = root.querySelector(':scope > pre');
    if (text === null) continue;                 // the questions are there already
    text.remove();
    start(root);
  }
})();
