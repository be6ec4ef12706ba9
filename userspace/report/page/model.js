// What the page shows: the data of the report, filtered and arranged to rows. No DOM here, so that it runs anywhere.
//
//   data: {title, version, made, since, hosts, sources, losses, rules, processes, lookups}, as report/page.cc writes it;
//   times are milliseconds since 1970, a process's parent and a lookup's process and rules are places in those lists.
'use strict';

const OUTCOMES = ['', 'matched', 'would block', 'blocked'];  // by gravity

const NO_FILTER = Object.freeze(
  {query: '', matched: false, blocked: false, packages: false, containers: false, range: null});

// Adds to the data what is asked for again and again: children, gravity and the text that is searched.
function prepare(data) {
  data.processes.forEach((process, index) => {
    process.index = index;
    process.children = [];
    process.lookups = [];
    const parent = process.parent === undefined ? null : data.processes[process.parent];
    if (parent) parent.children.push(process);
    process.up = parent;
    process.label = process.program || (process.pid ? `process ${process.pid}` : 'unknown process');
    process.lineage = (parent ? `${parent.lineage} ${parent.label}` : '').toLowerCase();
    process.text = ['label', 'executable', 'script', 'argv', 'user', 'package', 'container', 'pod', 'step', 'host']
      .map((field) => process[field] || '').join('\n').toLowerCase();
  });
  for (const lookup of data.lookups) {
    lookup.by = data.processes[lookup.process];
    lookup.by.lookups.push(lookup);
    lookup.gravity = OUTCOMES.indexOf(lookup.outcome || '');
    lookup.told = (lookup.rules || []).map((number) => data.rules[number]);
    lookup.text = `${lookup.name}\n${lookup.types || ''}\n${lookup.outcome || ''}\n` +
      lookup.told.map((rule) => `${rule.title || ''}\n${rule.id || ''}\n${rule.level}`).join('\n');
    lookup.text = lookup.text.toLowerCase();
  }
  for (const process of data.processes) process.lookups.sort(gravestFirst);
  data.roots = data.processes.filter((process) => !process.up);
  data.span = spanOf(data.lookups);
  return data;
}

function gravestFirst(a, b) {
  return b.gravity - a.gravity || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

function spanOf(lookups) {
  let from = Infinity;
  let to = -Infinity;
  for (const lookup of lookups) {
    from = Math.min(from, lookup.first);
    to = Math.max(to, lookup.last);
  }
  return from <= to ? {from, to} : null;
}

// [time, count] pairs of a lookup. Times of a longer span stand at its beginning, but not before the first lookup.
function momentsOf(lookup) {
  if (!lookup.times) return [[lookup.first, lookup.count]];
  const moments = [];
  for (let at = 1; at < lookup.times.length; at += 2) {
    moments.push([Math.min(Math.max(lookup.times[at], lookup.first), lookup.last), lookup.times[at + 1]]);
  }
  return moments;
}

function wordsOf(query) {
  return query.toLowerCase().split(/\s+/).filter((word) => word !== '');
}

// Every word of the query is somewhere in the name, its rules, its process or the names of the process's ancestors.
function passes(lookup, filter, words) {
  if (filter.blocked && lookup.gravity < 2) return false;
  if (filter.matched && lookup.gravity < 1) return false;
  if (filter.packages && !lookup.by.package) return false;
  if (filter.containers && !lookup.by.container) return false;
  if (filter.range && !momentsOf(lookup).some(([time]) => time >= filter.range.from && time < filter.range.to)) return false;
  return words.every((word) => lookup.text.includes(word) || lookup.by.text.includes(word) ||
    lookup.by.lineage.includes(word));
}

function filtered(data, filter) {
  const words = wordsOf(filter.query);
  return data.lookups.filter((lookup) => passes(lookup, filter, words));
}

// What is below each process that has something to show: {own, lookups, count, gravity, children}.
function branches(shown) {
  const of = new Map();
  const branch = (process) => {
    let known = of.get(process);
    if (!known) {
      known = {process, own: [], children: [], count: 0, names: 0, gravity: 0};
      of.set(process, known);
      if (process.up) branch(process.up).children.push(known);
    }
    return known;
  };
  for (const lookup of shown) {
    branch(lookup.by).own.push(lookup);
    for (let process = lookup.by; process; process = process.up) {
      const above = branch(process);
      above.count += lookup.count;
      above.names += 1;
      above.gravity = Math.max(above.gravity, lookup.gravity);
    }
  }
  return of;
}

// The rows of the tree. toggled: ids of rows that are not as rows begin, which is open. Processes that asked for nothing
// and have one child stand in one row with it.
function treeRows(data, shown, toggled) {
  const of = branches(shown);
  const rows = [];
  const add = (branch, level, place, places) => {
    const chain = [branch.process];
    while (branch.own.length === 0 && branch.children.length === 1) {
      branch = branch.children[0];
      chain.push(branch.process);
    }
    const id = `p${branch.process.index}`;
    const open = !toggled.has(id);
    rows.push({kind: 'process', id, level, place, places, open, chain, process: branch.process, count: branch.count,
      names: branch.names, gravity: branch.gravity});
    if (!open) return;
    const below = branch.own.length + branch.children.length;
    branch.own.sort(gravestFirst).forEach((lookup, at) => rows.push(
      {kind: 'lookup', id: `l${lookup.process}.${lookup.name}`, level: level + 1, place: at + 1, places: below, lookup,
        count: lookup.count, gravity: lookup.gravity}));
    const children = branch.children.sort((a, b) => b.gravity - a.gravity || a.process.index - b.process.index);
    children.forEach((child, at) => add(child, level + 1, branch.own.length + at + 1, below));
  };
  const tops = data.roots.filter((process) => of.has(process)).map((process) => of.get(process));
  tops.sort((a, b) => b.gravity - a.gravity || a.process.index - b.process.index);
  tops.forEach((branch, at) => add(branch, 1, at + 1, tops.length));
  return rows;
}

// The rows of the list of names, gravest first; below a name, once it is opened, the processes that asked for it.
function nameRows(data, shown, toggled) {
  const byName = new Map();
  for (const lookup of shown) {
    const group = byName.get(lookup.name) || {name: lookup.name, lookups: [], count: 0, gravity: 0};
    group.lookups.push(lookup);
    group.count += lookup.count;
    group.gravity = Math.max(group.gravity, lookup.gravity);
    byName.set(lookup.name, group);
  }
  const groups = [...byName.values()].sort(gravestFirst);
  const rows = [];
  groups.forEach((group, at) => {
    const id = `n${group.name}`;
    const open = toggled.has(id);
    rows.push({kind: 'name', id, level: 1, place: at + 1, places: groups.length, open, ...group});
    if (!open) return;
    group.lookups.sort((a, b) => b.gravity - a.gravity || a.process - b.process);
    group.lookups.forEach((lookup, below) => rows.push(
      {kind: 'asker', id: `a${lookup.process}.${lookup.name}`, level: 2, place: below + 1, places: group.lookups.length,
        lookup, count: lookup.count, gravity: lookup.gravity}));
  });
  return rows;
}

// Lookups by time: `bins` of equal spans over `span`, each {from, to, plain, matched, blocked}.
function histogram(shown, span, bins) {
  const width = Math.max((span.to - span.from + 1) / bins, 1);
  const all = Array.from({length: bins}, (_, at) => (
    {from: span.from + at * width, to: span.from + (at + 1) * width, plain: 0, matched: 0, blocked: 0}));
  for (const lookup of shown) {
    const kind = lookup.gravity === 3 ? 'blocked' : lookup.gravity > 0 ? 'matched' : 'plain';
    for (const [time, count] of momentsOf(lookup)) {
      const at = Math.min(Math.max(Math.floor((time - span.from) / width), 0), bins - 1);
      all[at][kind] += Math.max(count, 1);
    }
  }
  return all;
}

function totalsOf(lookups) {
  const names = new Set();
  const of = {lookups: 0, matched: new Set(), would: new Set(), blocked: new Set(), processes: new Set(), packaged: 0,
    contained: 0};
  for (const lookup of lookups) {
    names.add(lookup.name);
    of.lookups += lookup.count;
    of.processes.add(lookup.process);
    if (lookup.gravity > 0) of.matched.add(lookup.name);
    if (lookup.gravity === 2) of.would.add(lookup.name);
    if (lookup.gravity === 3) of.blocked.add(lookup.name);
    if (lookup.by.package) of.packaged += 1;
    if (lookup.by.container) of.contained += 1;
  }
  return {names: names.size, lookups: of.lookups, processes: of.processes.size, matched: of.matched.size,
    would: of.would.size, blocked: of.blocked.size, packaged: of.packaged, contained: of.contained};
}

// ---- words --------------------------------------------------------------------------------------------------------

function counted(number, one, many = `${one}s`) {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

const dateOf = (ms) => new Date(ms).toISOString().slice(0, 10);
const clockOf = (ms) => new Date(ms).toISOString().slice(11, 19);
const momentOf = (ms) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

// "2026-11-25 22:57:00 to 22:58:10 UTC"; the second date only where it is another one.
function spanText(from, to) {
  const end = dateOf(from) === dateOf(to) ? clockOf(to) : `${dateOf(to)} ${clockOf(to)}`;
  return `${dateOf(from)} ${clockOf(from)} to ${end} UTC`;
}

function verdictText(totals) {
  if (totals.names === 0) return 'Nothing was looked up.';
  if (totals.matched === 0) return 'No name matched a rule or list.';
  const parts = [`${counted(totals.matched, 'name')} matched`];
  if (totals.blocked) parts.push(`${totals.blocked.toLocaleString('en')} blocked`);
  if (totals.would) parts.push(`${totals.would.toLocaleString('en')} would have been blocked`);
  return `${parts.join(', ')}.`;
}
