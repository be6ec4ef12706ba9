// How the page shows it. Everything from outside is set as text (textContent) or compared; nothing is parsed as HTML, and
// no address is made of it. Rows outside the window are not in the document: a report may have tens of thousands.
'use strict';

const BINS = 96;
const ROWS_BEYOND = 12;  // above and below what is seen

const $ = (id) => document.getElementById(id);
const data = prepare(JSON.parse($('data').textContent));
const state = {filter: {...NO_FILTER}, view: 'tree', toggled: {tree: new Set(), names: new Set()}, rows: [], shown: [],
  selected: -1, selectedId: '', bin: null};

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// ---- head ---------------------------------------------------------------------------------------------------------

function showHead() {
  const totals = totalsOf(data.lookups);
  $('title').textContent = data.title || 'What was looked up';
  document.title = `${data.title || 'Lookups'} – nslookout`;
  const facts = [];
  if (data.hosts.length) facts.push(data.hosts.join(', '));
  if (data.span) facts.push(spanText(data.span.from, data.span.to));
  if (data.since) facts.push(`the last ${data.since}`);
  facts.push(`${counted(totals.lookups, 'lookup')} of ${counted(totals.names, 'name')} by ` +
    counted(totals.processes, 'process', 'processes'));
  $('facts').textContent = facts.join(' · ');
  $('facts').title = `nslookout ${data.version}, made ${momentOf(data.made)} UTC from ${data.sources.join(', ')}`;
  $('verdict').textContent = verdictText(totals);
  $('verdict').className = totals.blocked ? 'blocked' : totals.matched ? 'matched' : 'quiet';
  const losses = $('losses');
  if (data.losses.length === 0) {
    losses.append(make('p', 'nothing-lost', 'Nothing was lost.'));
    return;
  }
  losses.className = 'lost';
  losses.append(make('p', '', 'This record is not whole:'));
  const list = make('ul');
  for (const sentence of data.losses) list.append(make('li', '', sentence));
  losses.append(list);
}

// ---- filters ------------------------------------------------------------------------------------------------------

const FILTERS = [
  {key: 'm', field: 'matched', text: 'Matched', count: (totals) => totals.matched, of: 'names'},
  {key: 'b', field: 'blocked', text: 'Blocked', count: (totals) => totals.blocked + totals.would, of: 'names'},
  {key: 'p', field: 'packages', text: 'In packages', count: (totals) => totals.packaged, of: 'rows'},
  {key: 'c', field: 'containers', text: 'In containers', count: (totals) => totals.contained, of: 'rows'},
];
const VIEWS = [{key: 't', view: 'tree', text: 'By process'}, {key: 'n', view: 'names', text: 'By name'}];

function chip(text, key, count) {
  const button = make('button', 'filter');
  button.type = 'button';
  button.setAttribute('aria-keyshortcuts', key);
  button.append(make('span', '', text));
  if (count !== undefined) button.append(make('span', 'count', count.toLocaleString('en')));
  const hint = make('kbd', '', key);
  hint.setAttribute('aria-hidden', 'true');
  button.append(hint);
  return button;
}

function buildToolbar() {
  const totals = totalsOf(data.lookups);
  for (const filter of FILTERS) {
    filter.button = chip(filter.text, filter.key, filter.count(totals));
    filter.button.id = `only-${filter.field}`;
    filter.button.addEventListener('click', () => toggleFilter(filter.field));
    $('filters').append(filter.button);
  }
  for (const view of VIEWS) {
    view.button = chip(view.text, view.key);
    view.button.id = `view-${view.view}`;
    view.button.addEventListener('click', () => arrange(view.view));
    $('views').append(view.button);
  }
  $('search').addEventListener('input', () => change({query: $('search').value}));
  $('whole').addEventListener('click', () => chooseBins(null));
}

function toggleFilter(field) {
  change({[field]: !state.filter[field]});
}

function change(part) {
  Object.assign(state.filter, part);
  refresh();
}

function arrange(view) {
  state.view = view;
  refresh();
}

function refresh() {
  state.shown = filtered(data, state.filter);
  for (const filter of FILTERS) filter.button.setAttribute('aria-pressed', String(state.filter[filter.field]));
  for (const view of VIEWS) view.button.setAttribute('aria-pressed', String(state.view === view.view));
  const totals = totalsOf(state.shown);
  const all = state.shown.length === data.lookups.length;
  $('status').textContent = all ? '' : state.shown.length === 0 ? 'Nothing of that kind. Escape shows all.' :
    `${counted(totals.names, 'name')}, ${counted(totals.lookups, 'lookup')}`;
  drawTimeline();
  arrangeRows();
}

// ---- rows ---------------------------------------------------------------------------------------------------------

function arrangeRows() {
  const toggled = state.toggled[state.view];
  state.rows = state.view === 'tree' ? treeRows(data, state.shown, toggled) : nameRows(data, state.shown, toggled);
  state.selected = state.rows.findIndex((row) => row.id === state.selectedId);
  $('rows').setAttribute('aria-label', state.view === 'tree' ? 'Processes and the names they asked' : 'Names and who asked');
  $('rows').style.height = `${state.rows.length * rowHeight()}px`;
  drawRows();
  showDetail();
}

function rowHeight() {
  return parseFloat(getComputedStyle($('rows')).getPropertyValue('--row')) || 32;
}

function drawRows() {
  const list = $('rows');
  const height = rowHeight();
  const top = list.getBoundingClientRect().top;
  const first = Math.max(Math.floor(-top / height) - ROWS_BEYOND, 0);
  const last = Math.min(Math.ceil((innerHeight - top) / height) + ROWS_BEYOND, state.rows.length);
  const elements = [];
  for (let at = first; at < last; at += 1) {
    const element = rowElement(state.rows[at], at);
    element.style.transform = `translateY(${at * height}px)`;
    elements.push(element);
  }
  list.replaceChildren(...elements);
  if (state.selected >= first && state.selected < last) {
    list.setAttribute('aria-activedescendant', `row${state.selected}`);
  } else {
    list.removeAttribute('aria-activedescendant');
  }
}

function rowElement(row, at) {
  const element = make('div', `row ${row.kind} gravity${row.gravity}`);
  element.id = `row${at}`;
  element.setAttribute('role', 'treeitem');
  element.setAttribute('aria-level', row.level);
  element.setAttribute('aria-posinset', row.place);
  element.setAttribute('aria-setsize', row.places);
  element.setAttribute('aria-selected', String(at === state.selected));
  if (row.open !== undefined) element.setAttribute('aria-expanded', String(row.open));
  element.style.setProperty('--level', Math.min(row.level - 1, 12));
  const twisty = make('span', 'twisty', row.open === undefined ? '' : row.open ? '▾' : '▸');
  twisty.setAttribute('aria-hidden', 'true');
  element.append(twisty);
  if (row.kind === 'process') fillProcess(element, row);
  if (row.kind === 'lookup') fillLookup(element, row, row.lookup.name, 'name');
  if (row.kind === 'name') fillName(element, row);
  if (row.kind === 'asker') fillLookup(element, row, row.lookup.by.label, 'program');
  return element;
}

function fillProcess(element, row) {
  const line = make('span', 'line');
  for (const above of row.chain.slice(0, -1)) line.append(make('span', 'above', `${above.label} › `));
  line.append(make('span', 'program', row.process.label));
  // A script says more than its interpreter; of the command line the first word is what stands there already.
  const argv = (row.process.argv || '').replace(/^\S+ ?/, '');
  if (argv) line.append(make('span', 'argv', ` ${argv}`));
  element.append(line, ...places(row.process, true));
  if (row.gravity && !row.open) element.append(badge(OUTCOMES[row.gravity]));
  element.append(make('span', 'number', row.count.toLocaleString('en')));
}

// Where a process belongs; below: only what the nearest process above that is known to belong anywhere does not say.
function places(process, below) {
  const said = (field) => {
    let above = process.up;
    while (above && !above[field]) above = above.up;
    return above && above[field] === process[field];
  };
  return ['step', 'package', 'container'].filter((field) => process[field] && !(below && said(field))).map((field) => {
    const place = make('span', `place ${field}`);
    place.append(make('span', 'word', `${field} `), make('span', '', process[field]));
    place.title = `${field} ${process[field]}`;
    return place;
  });
}

function badge(outcome) {
  return make('span', `badge ${outcome.replace(' ', '-')}`, outcome);
}

function fillLookup(element, row, text, className) {
  const line = make('span', 'line');
  line.append(make('span', className, text));
  const more = className === 'name' ? row.lookup.types : (row.lookup.by.argv || '').replace(/^\S+ ?/, '');
  if (more) line.append(make('span', className === 'name' ? 'types' : 'argv', ` ${more}`));
  element.append(line);
  if (className !== 'name') element.append(...places(row.lookup.by, false));
  if (row.lookup.outcome) element.append(badge(row.lookup.outcome));
  element.append(make('span', 'time', clockOf(row.lookup.first)));
  element.append(make('span', 'number', row.count.toLocaleString('en')));
}

function fillName(element, row) {
  const line = make('span', 'line');
  line.append(make('span', 'name', row.name));
  const programs = [...new Set(row.lookups.map((lookup) => lookup.by.label))];
  line.append(make('span', 'argv', ` ${programs.slice(0, 4).join(', ')}${programs.length > 4 ? ' …' : ''}`));
  element.append(line);
  if (row.gravity) element.append(badge(OUTCOMES[row.gravity]));
  element.append(make('span', 'number', row.count.toLocaleString('en')));
}

function select(at, {scroll = true} = {}) {
  if (state.rows.length === 0) return;
  state.selected = Math.min(Math.max(at, 0), state.rows.length - 1);
  state.selectedId = state.rows[state.selected].id;
  if (scroll) bringIntoView(state.selected);
  drawRows();
  showDetail();
}

function bringIntoView(at) {
  const height = rowHeight();
  const top = $('rows').getBoundingClientRect().top + at * height;
  const free = $('toolbar').getBoundingClientRect().bottom;
  const bottom = innerHeight - sheetHeight() - 8;
  if (top < free) scrollBy(0, top - free - 8);
  if (top + height > bottom) scrollBy(0, top + height - bottom);
}

// On a small screen the details lie over the lower part of the rows.
function sheetHeight() {
  const detail = $('detail');
  return getComputedStyle(detail).position === 'fixed' && !detail.hidden ? detail.getBoundingClientRect().height : 0;
}

function toggle(row) {
  const toggled = state.toggled[state.view];
  if (!toggled.delete(row.id)) toggled.add(row.id);
  arrangeRows();
}

function setAll(open) {
  const toggled = state.toggled[state.view];
  toggled.clear();
  if (open === (state.view === 'tree')) return arrangeRows();
  if (state.view === 'tree') data.processes.forEach((process) => toggled.add(`p${process.index}`));
  if (state.view === 'names') data.lookups.forEach((lookup) => toggled.add(`n${lookup.name}`));
  return arrangeRows();
}

// To the row that this one stands under.
function parentOf(at) {
  for (let above = at - 1; above >= 0; above -= 1) {
    if (state.rows[above].level < state.rows[at].level) return above;
  }
  return at;
}

function moveSideways(right) {
  const row = state.rows[state.selected];
  if (!row) return select(0);
  if (row.open !== undefined && row.open !== right) return toggle(row);
  return select(right ? state.selected + (row.open ? 1 : 0) : parentOf(state.selected));
}

// ---- details ------------------------------------------------------------------------------------------------------

function fact(list, term, value, className) {
  if (value === undefined || value === '') return;
  list.append(make('dt', '', term), make('dd', className || '', value));
}

function processFacts(list, process) {
  fact(list, 'Command', process.argv, 'mono');
  fact(list, 'Executable', process.executable, 'mono');
  fact(list, 'Script', process.script, 'mono');
  fact(list, 'Process', process.pid ? `pid ${process.pid}${process.user ? `, user ${process.user}` : ''}` : process.user);
  fact(list, 'Started', process.start ? `${momentOf(process.start)} UTC` : '');
  fact(list, 'Folder', process.cwd, 'mono');
  fact(list, 'CI step', process.step);
  fact(list, 'Package', process.package, 'mono');
  fact(list, 'Container', process.container, 'mono');
  fact(list, 'Pod', process.pod, 'mono');
  if (data.hosts.length > 1) fact(list, 'Host', process.host);
}

function ancestryElement(process) {
  const list = make('ol', 'ancestry');
  for (let above = process; above; above = above.up) {
    const item = make('li');
    item.append(make('span', 'program', above.label), make('span', 'dim', above.pid ? ` ${above.pid}` : ''));
    if (above.argv) item.append(make('div', 'mono dim', above.argv));
    list.prepend(item);
  }
  return list;
}

function ruleElements(lookups) {
  const rules = new Set(lookups.flatMap((lookup) => lookup.told));
  return [...rules].map((rule) => {
    const element = make('div', 'rule');
    const head = make('p');
    head.append(make('span', `level level-${rule.level}`, rule.level), make('strong', '', ` ${rule.title || rule.id || ''}`));
    element.append(head);
    const place = [rule.id, rule.file].filter((text) => text).join(' · ');
    if (place) element.append(make('p', 'mono dim', place));
    return element;
  });
}

function lookupFacts(lookups) {
  const list = make('dl');
  const count = lookups.reduce((sum, lookup) => sum + lookup.count, 0);
  const first = Math.min(...lookups.slice(0, 1000).map((lookup) => lookup.first));
  const last = Math.max(...lookups.slice(0, 1000).map((lookup) => lookup.last));
  const types = [...new Set(lookups.flatMap((lookup) => (lookup.types || '').split(', ')))].filter((type) => type);
  fact(list, 'Asked', `${counted(count, 'time')}${types.length ? `, for ${types.join(', ')}` : ''}`);
  fact(list, first === last ? 'At' : 'First', `${momentOf(first)} UTC`);
  if (first !== last) fact(list, 'Last', `${momentOf(last)} UTC`);
  return list;
}

function showDetail() {
  const detail = $('detail');
  const row = state.rows[state.selected];
  detail.hidden = !row;
  if (!row) return detail.replaceChildren();
  const parts = [];
  const close = make('button', 'close', 'Close');
  close.type = 'button';
  close.addEventListener('click', dismiss);
  parts.push(close);
  if (row.kind === 'process') {
    parts.push(make('h2', '', row.process.label));
    const list = make('dl');
    processFacts(list, row.process);
    fact(list, 'Lookups', `${counted(row.count, 'lookup')} of ${counted(row.names, 'name')}, its children's included`);
    parts.push(list, make('h3', '', 'Started by'), ancestryElement(row.process));
  } else {
    const lookups = row.lookups || [row.lookup];
    parts.push(make('h2', 'name', lookups[0].name));
    if (row.gravity) parts.push(badge(OUTCOMES[row.gravity]));
    parts.push(...ruleElements(lookups), lookupFacts(lookups));
    if (row.kind === 'name') {
      parts.push(make('h3', '', 'Asked by'), askerList(lookups));
    } else {
      const list = make('dl');
      processFacts(list, row.lookup.by);
      parts.push(make('h3', '', 'Asked by'), list, make('h3', '', 'Started by'), ancestryElement(row.lookup.by));
    }
  }
  return detail.replaceChildren(...parts);
}

function askerList(lookups) {
  const list = make('ul', 'askers');
  for (const lookup of lookups.slice(0, 50)) {
    const item = make('li');
    item.append(make('span', 'program', lookup.by.label), make('span', 'dim', ` ${lookup.by.pid || ''}`));
    if (lookup.by.argv) item.append(make('div', 'mono dim', lookup.by.argv));
    list.append(item);
  }
  if (lookups.length > 50) list.append(make('li', 'dim', `and ${counted(lookups.length - 50, 'more', 'more')}`));
  return list;
}

function dismiss() {
  state.selected = -1;
  state.selectedId = '';
  drawRows();
  showDetail();
  $('rows').focus({preventScroll: true});
}

// ---- timeline -----------------------------------------------------------------------------------------------------

function svg(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// The timeline shows what the other filters let through; heights are square roots, so that one lookup beside thousands is seen.
function drawTimeline() {
  if (!data.span) return;
  const others = {...state.filter, range: null};
  const bins = histogram(filtered(data, others), data.span, BINS);
  state.bins = bins;
  const most = Math.max(...bins.map((bin) => bin.plain + bin.matched + bin.blocked), 1);
  const picture = svg('svg', {viewBox: `0 0 ${BINS} 100`, preserveAspectRatio: 'none', 'aria-hidden': 'true'});
  bins.forEach((bin, at) => {
    const total = bin.plain + bin.matched + bin.blocked;
    if (total === 0) return;
    const height = Math.max(Math.sqrt(total / most) * 100, 6);
    const share = (count) => (count ? Math.max(height * count / total, 14) : 0);
    let top = 100;
    for (const kind of ['plain', 'matched', 'blocked']) {
      const part = kind === 'plain' ? (bin.plain ? Math.max(height - share(bin.matched) - share(bin.blocked), 3) : 0)
        : share(bin[kind]);
      if (part === 0) continue;
      top -= part;
      picture.append(svg('rect', {x: at + 0.08, y: Math.max(top, 0), width: 0.84, height: part, class: kind}));
    }
  });
  const chosen = make('div', 'chosen');
  chosen.hidden = !state.bin;
  if (state.bin) {
    const [from, to] = [Math.min(...state.bin), Math.max(...state.bin)];
    chosen.style.left = `${from / BINS * 100}%`;
    chosen.style.width = `${(to - from + 1) / BINS * 100}%`;
  }
  $('chart').replaceChildren(picture, chosen);
  const range = state.filter.range;
  $('whole').hidden = !range;
  $('range').textContent = range ? spanText(range.from, range.to) : '';
  const {from, to} = data.span;
  $('from').textContent = clockOf(from);
  $('middle').textContent = clockOf((from + to) / 2);
  $('to').textContent = clockOf(to);
}

// bins: [where it began, where it is], or null for all.
function chooseBins(bins) {
  state.bin = bins;
  change({range: bins === null ? null :
    {from: state.bins[Math.min(...bins)].from, to: state.bins[Math.max(...bins)].to}});
}

function listenToTimeline() {
  const chart = $('chart');
  const binAt = (event) => {
    const box = chart.getBoundingClientRect();
    return Math.min(Math.max(Math.floor((event.clientX - box.left) / box.width * BINS), 0), BINS - 1);
  };
  let began = null;
  chart.addEventListener('pointerdown', (event) => {
    if (!data.span) return;
    began = binAt(event);
    chart.setPointerCapture(event.pointerId);
    chooseBins([began, began]);
  });
  chart.addEventListener('pointermove', (event) => {
    if (began !== null) chooseBins([began, binAt(event)]);
  });
  chart.addEventListener('pointerup', () => { began = null; });
  chart.addEventListener('pointercancel', () => { began = null; });
  chart.addEventListener('keydown', (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step || !data.span) return;
    event.preventDefault();
    event.stopPropagation();
    const [anchor, head] = state.bin || [step > 0 ? -1 : BINS, step > 0 ? -1 : BINS];
    const next = Math.min(Math.max(head + step, 0), BINS - 1);
    chooseBins([event.shiftKey && state.bin ? anchor : next, next]);
  });
}

// ---- keys ---------------------------------------------------------------------------------------------------------

const page = () => Math.max(Math.floor((innerHeight - 160) / rowHeight()), 1);
const KEYS = [
  {keys: ['/'], text: 'Search', run: () => { $('search').focus(); $('search').select(); }},
  {keys: ['ArrowDown', 'j'], text: 'Next row', run: () => select(state.selected + 1)},
  {keys: ['ArrowUp', 'k'], text: 'Row before', run: () => select(Math.max(state.selected - 1, 0))},
  {keys: ['ArrowRight'], text: 'Open the row', run: () => moveSideways(true)},
  {keys: ['ArrowLeft'], text: 'Close it, or go to the row above it', run: () => moveSideways(false)},
  {keys: ['Enter'], text: 'Open or close the row', run: () => {
    const row = state.rows[state.selected];
    if (row && row.open !== undefined) toggle(row);
  }},
  {keys: ['PageDown'], text: 'A page down', run: () => select(state.selected + page())},
  {keys: ['PageUp'], text: 'A page up', run: () => select(state.selected - page())},
  {keys: ['Home'], text: 'First row', run: () => select(0)},
  {keys: ['End'], text: 'Last row', run: () => select(state.rows.length - 1)},
  {keys: ['m'], text: 'Only what matched', run: () => toggleFilter('matched')},
  {keys: ['b'], text: 'Only what was or would be blocked', run: () => toggleFilter('blocked')},
  {keys: ['p'], text: 'Only lookups of packages', run: () => toggleFilter('packages')},
  {keys: ['c'], text: 'Only lookups of containers', run: () => toggleFilter('containers')},
  {keys: ['t'], text: 'By process', run: () => arrange('tree')},
  {keys: ['n'], text: 'By name', run: () => arrange('names')},
  {keys: ['l'], text: 'To the timeline: arrows choose a span, with Shift a longer one', run: () => $('chart').focus()},
  {keys: ['+', '*'], text: 'Open all', run: () => setAll(true)},
  {keys: ['-'], text: 'Close all', run: () => setAll(false)},
  {keys: ['Escape'], text: 'Show all again', run: () => clearAll()},
  {keys: ['?'], text: 'These keys', run: () => $('keys').showModal()},
];
const SHOWN_KEYS = {ArrowDown: '↓', ArrowUp: '↑', ArrowRight: '→', ArrowLeft: '←', Escape: 'Esc', PageDown: 'PgDn', PageUp: 'PgUp'};

function clearAll() {
  $('search').value = '';
  state.bin = null;
  state.filter = {...NO_FILTER};
  refresh();
}

function inSearch(event) {
  if (event.key === 'Escape') {
    if ($('search').value === '') $('search').blur();
    $('search').value = '';
    change({query: ''});
  }
  if (event.key !== 'Enter' && event.key !== 'ArrowDown') return event.key === 'Escape';
  $('rows').focus({preventScroll: true});
  select(0);
  return true;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $('keys').open) return;
  if (event.target === $('search')) {
    if (inSearch(event)) event.preventDefault();
    return;
  }
  // Buttons do with Enter what buttons do.
  if (event.key === 'Enter' && event.target instanceof HTMLButtonElement) return;
  const binding = KEYS.find((candidate) => candidate.keys.includes(event.key));
  if (!binding) return;
  event.preventDefault();
  if (/^(Arrow|Page|Home|End|[jk]$)/.test(event.key)) $('rows').focus({preventScroll: true});
  binding.run();
}

function listKeys() {
  for (const {keys, text} of KEYS) {
    const term = make('dt');
    for (const key of keys) term.append(make('kbd', '', SHOWN_KEYS[key] || key), ' ');
    $('key-list').append(term, make('dd', '', text));
  }
  $('help').addEventListener('click', () => $('keys').showModal());
}

function onRowClick(event) {
  const element = event.target.closest('.row');
  if (!element) return;
  const at = Number(element.id.slice(3));
  const row = state.rows[at];
  $('rows').focus({preventScroll: true});
  select(at, {scroll: false});
  if (event.target.className === 'twisty' && row.open !== undefined) toggle(row);
}

function start() {
  showHead();
  buildToolbar();
  listKeys();
  listenToTimeline();
  $('rows').addEventListener('click', onRowClick);
  document.addEventListener('keydown', onKey);
  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawRows(); });
  };
  addEventListener('scroll', redraw, {passive: true});
  addEventListener('resize', () => arrangeRows());
  refresh();
  // What matters most is chosen from the start.
  const gravest = state.rows.findIndex((row) => row.kind === 'lookup' && row.gravity > 0);
  if (gravest >= 0 && innerWidth > 900) select(gravest, {scroll: false});
}

start();
