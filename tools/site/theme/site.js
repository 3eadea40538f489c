// The search box, sections that fold, tabs, tests that a link opens, boxes that scroll and are reached by keyboard.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // ---- sections that fold

  for (const button of all('[data-bs-toggle=collapse]')) {
    const section = document.querySelector(button.dataset.bsTarget);
    button.addEventListener('click', () => {
      const open = section.classList.toggle('show');
      button.classList.toggle('collapsed', !open);
      button.setAttribute('aria-expanded', open);
    });
  }

  // ---- the menu shows the page one is on

  window.addEventListener('load', () => {
    const menu = document.querySelector('#quarto-sidebar');
    const here = menu && menu.querySelector('.sidebar-link.active');
    if (!here) return;
    const below = here.getBoundingClientRect().bottom - menu.getBoundingClientRect().top;
    if (below > menu.clientHeight) menu.scrollTop = below - menu.clientHeight/2;
  });

  // ---- tabs: the arrow keys go from one to the next

  for (const list of all('[role=tablist]')) {
    const tabs = all('[role=tab]', list);
    const choose = chosen => {
      for (const tab of tabs) {
        const on = tab === chosen;
        tab.classList.toggle('active', on);
        tab.setAttribute('aria-selected', on);
        tab.tabIndex = on ? 0 : -1;
        document.querySelector(tab.dataset.bsTarget).classList.toggle('active', on);
      }
    };
    list.addEventListener('click', event => {
      event.preventDefault();
      const tab = event.target.closest('[role=tab]');
      if (tab) choose(tab);
    });
    list.addEventListener('keydown', event => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!step) return;
      const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    });
    choose(tabs.find(tab => tab.classList.contains('active')) || tabs[0]);
  }

  // ---- a link into folded tests opens them

  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const folds = [...all(':scope > details', target), target.closest('details')].filter(Boolean);
    if (!folds.some(fold => !fold.open)) return;
    for (const fold of folds) fold.open = true;
    target.scrollIntoView();
  };
  window.addEventListener('hashchange', open);
  document.addEventListener('click', event => {    // the same link once more changes no address
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) open();
  });
  open();

  // ---- what is wider than its box can be scrolled with the arrow keys

  const scrolling = 'main pre, main .cell-output-display, main .sd-table, main table, main .math.display';
  const reach = () => all(scrolling).forEach(box => {
    if (/auto|scroll/.test(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
    } else if (box.getAttribute('tabindex') === '0') {
      box.removeAttribute('tabindex');
    }
  });
  window.addEventListener('load', reach);
  window.addEventListener('resize', reach);
  document.addEventListener('toggle', reach, true);

  // ---- search: all words must be there; lessons come before names

  const GROUPS = [['lesson', 'Lessons', 4], ['page', 'Other pages', 2], ['api', 'Names', 6]];
  const box = document.querySelector('.site-search');
  const input = box.querySelector('input');
  const results = box.querySelector('.site-search-results');
  const root = box.dataset.root;
  let entries = null;

  const load = async () => {
    const answer = await fetch(`${root}search.json`);
    entries = await answer.json();
  };

  const score = (entry, words) => {
    const [title, section, text] = [entry.title, entry.section, entry.text].map(part => part.toLowerCase());
    const points = words.map(word => {
      if (section === word || title === word) return 9;
      if (section.includes(word)) return 5;
      if (title.includes(word)) return 3;
      return text.includes(word) ? 1 : 0;
    });
    return points.includes(0) ? 0 : points.reduce((a, b) => a + b);
  };

  const element = (tag, name, text) => Object.assign(document.createElement(tag), {className: name, textContent: text});

  const excerpt = (text, word) => {
    const at = text.toLowerCase().indexOf(word);
    const start = Math.max(0, at - 20);
    const line = element('span', 'text', (start ? '…' : '') + text.slice(start, Math.max(at, start)));
    if (at < 0) return line;
    line.append(element('mark', '', text.slice(at, at + word.length)), text.slice(at + word.length, at + 110));
    return line;
  };

  const hit = (entry, word) => {
    const link = Object.assign(element('a', '', ''), {href: root + entry.href});
    link.append(element('b', '', entry.section || entry.title));
    if (entry.section) link.append(element('span', 'page', entry.title));
    link.append(excerpt(entry.text, word));
    return link;
  };

  const say = count => {
    box.querySelector('[role=status]').textContent = count ? `${count} found` : 'Nothing found';
  };

  const search = async () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.join('').length < 2) {
      results.hidden = true;
      return;
    }
    if (!entries) await load();
    const found = entries.map(entry => [score(entry, words), entry]).filter(([points]) => points > 0);
    found.sort((a, b) => b[0] - a[0]);
    results.replaceChildren();
    let count = 0;
    for (const [kind, name, most] of GROUPS) {
      const hits = found.filter(([, entry]) => entry.kind === kind).slice(0, most);
      if (hits.length) results.append(element('div', 'group', name));
      for (const [, entry] of hits) results.append(hit(entry, words[0]));
      count += hits.length;
    }
    if (!count) results.append(element('div', 'none', 'Nothing found'));
    say(count);
    results.hidden = false;
  };

  const move = step => {
    const places = [input, ...all('a', results)];
    const next = places[places.indexOf(document.activeElement) + step];
    if (next) next.focus();
  };

  input.addEventListener('input', search);
  input.addEventListener('focus', search);
  box.addEventListener('keydown', event => {
    const links = all('a', results);
    const steps = {ArrowDown: 1, ArrowUp: -1};
    if (event.key === 'Escape') {
      results.hidden = true;
      input.focus();
      results.hidden = true;
    } else if (event.key in steps && !results.hidden) {
      event.preventDefault();
      move(steps[event.key]);
    } else if (event.key === 'Enter' && document.activeElement === input && links.length) {
      links[0].click();
    }
  });
  document.addEventListener('click', event => {
    if (!box.contains(event.target)) results.hidden = true;
  });
  document.addEventListener('keydown', event => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
})();
