// Usage: node report_page.js TOP. userspace/report/page without a browser: what model.js makes of a report's data, and that
// neither script has a way to run or parse what comes from outside. tests/e2e/report_test.py has the page in a browser.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const page = path.join(process.argv[2], 'userspace', 'report', 'page');
const source = (name) => fs.readFileSync(path.join(page, name), 'utf8');
const sandbox = vm.createContext({});
vm.runInContext(`${source('model.js')}
  ;globalThis.model = {prepare, filtered, treeRows, nameRows, histogram, totalsOf, verdictText, spanText, momentsOf, NO_FILTER};`, sandbox);
const {model} = sandbox;

const BEGAN = Date.UTC(2026, 2, 31, 0, 21);

// init > shell > node (npm package) asks for sfrclak.com (blocked) and a registry; shell > curl asks the registry.
function data() {
  return model.prepare({
    rules: [{id: 'r1', title: 'Axios', level: 'high'}],
    processes: [{pid: 1, program: 'init'}, {parent: 0, pid: 20, program: 'bash', argv: 'bash build.sh'},
      {parent: 1, pid: 30, program: 'node', argv: 'node setup.js', package: 'npm plain-crypto-js 4.2.1 postinstall'},
      {parent: 1, pid: 31, program: 'curl', container: 'nginx:1'}],
    lookups: [
      {process: 2, name: 'registry.example', types: 'A', count: 3, first: BEGAN, last: BEGAN + 9000,
        times: [1000, BEGAN, 1, BEGAN + 8500, 2]},
      {process: 2, name: 'sfrclak.com', types: 'A', count: 1, first: BEGAN + 4000, last: BEGAN + 4000, outcome: 'blocked',
        level: 'high', rules: [0]},
      {process: 3, name: 'registry.example', types: 'AAAA', count: 2, first: BEGAN + 5000, last: BEGAN + 5000},
    ],
  });
}

const none = new Set();
const brief = (rows) => rows.map((row) =>
  `${'-'.repeat(row.level)}${row.chain ? row.chain.map((one) => one.label).join('>') : row.lookup ? row.lookup.name : row.name}`);
const plain = (value) => JSON.parse(JSON.stringify(value));  // arrays of another context are no equal of ours
const names = (filter) => plain(model.filtered(data(), {...model.NO_FILTER, ...filter}).map((one) => `${one.by.label}:${one.name}`));

const tests = {
  'what each filter lets through'() {
    const all = ['node:registry.example', 'node:sfrclak.com', 'curl:registry.example'];
    const cases = [
      [{}, all],
      [{matched: true}, all.slice(1, 2)],
      [{blocked: true}, all.slice(1, 2)],
      [{packages: true}, all.slice(0, 2)],
      [{containers: true}, all.slice(2)],
      [{query: 'REGISTRY curl'}, all.slice(2)],
      [{query: 'plain-crypto axios'}, all.slice(1, 2)],
      [{query: 'bash'}, all],  // an ancestor
      [{query: 'setup.js nothing'}, []],
      [{range: {from: BEGAN + 4000, to: BEGAN + 5000}}, all.slice(1, 2)],
      [{range: {from: BEGAN + 8500, to: BEGAN + 9001}}, all.slice(0, 1)],
      [{query: '.*'}, []],
    ];
    for (const [filter, expected] of cases) assert.deepEqual(names(filter), expected, JSON.stringify(filter));
  },
  'rows of the tree: gravest first, chains in one row'() {
    const all = data();
    assert.deepEqual(plain(brief(model.treeRows(all, all.lookups, none))),
      ['-init>bash', '--node', '---sfrclak.com', '---registry.example', '--curl', '---registry.example']);
    assert.deepEqual(plain(brief(model.treeRows(all, all.lookups.slice(2), none))), ['-init>bash>curl', '--registry.example']);
    assert.deepEqual(plain(brief(model.treeRows(all, all.lookups, new Set(['p2'])))),
      ['-init>bash', '--node', '--curl', '---registry.example']);
    assert.equal(model.treeRows(all, all.lookups, none)[0].gravity, 3);
  },
  'rows of names: gravest first, askers below'() {
    const all = data();
    const rows = model.nameRows(all, all.lookups, new Set(['nregistry.example']));
    assert.deepEqual(plain(brief(rows)), ['-sfrclak.com', '-registry.example', '--registry.example', '--registry.example']);
    assert.deepEqual(plain(rows.map((row) => row.count)), [1, 5, 3, 2]);
  },
  'every lookup is in the timeline'() {
    const all = data();
    const bins = model.histogram(all.lookups, all.span, 10);
    const sum = (kind) => bins.reduce((total, bin) => total + bin[kind], 0);
    assert.deepEqual([sum('plain'), sum('matched'), sum('blocked')], [5, 0, 1]);
  },
  'words'() {
    const all = data();
    assert.equal(model.verdictText(model.totalsOf(all.lookups)), '1 name matched, 1 blocked.');
    assert.equal(model.verdictText(model.totalsOf([])), 'Nothing was looked up.');
    assert.equal(model.verdictText(model.totalsOf(all.lookups.slice(2))), 'No name matched a rule or list.');
    assert.equal(model.spanText(BEGAN, BEGAN + 9000), '2026-03-31 00:21:00 to 00:21:09 UTC');
  },
  'names that are words of the language'() {
    const odd = model.prepare({rules: [], processes: [{program: '__proto__'}],
      lookups: ['__proto__', 'constructor', 'toString'].map((name) => ({process: 0, name, count: 1, first: 0, last: 0}))});
    assert.equal(model.nameRows(odd, odd.lookups, none).length, 3);
  },
  'twenty thousand lookups'() {
    const lookups = Array.from({length: 20000}, (_, at) => (
      {process: 1 + at % 2000, name: `n${at}.example`, count: 1, first: BEGAN + at, last: BEGAN + at}));
    const processes = [{program: 'make'}, ...Array.from({length: 2000}, (_, at) => ({parent: 0, pid: at + 10, program: 'curl'}))];
    const many = model.prepare({rules: [], processes, lookups});
    assert.equal(model.treeRows(many, many.lookups, none).length, 22001);
  },
  'no way from text to markup, code or an address'() {
    const ways = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|createContextualFragment|\.src\b|\.href\b|\bimport\b|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|setTimeout\(['"`]/;
    for (const name of ['model.js', 'view.js']) assert.doesNotMatch(source(name), ways, name);
    assert.doesNotMatch(source('page.html') + source('page.css'), /https?:\/\/(?!www\.w3\.org\/2000\/svg)|@import|url\(/);
  },
};

for (const [what, test] of Object.entries(tests)) {
  test();
  console.log(`ok: ${what}`);
}
