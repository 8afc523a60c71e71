'use strict';
(() => {

// On white and on #171b20; at least 3:1 there, and apart from each other with any colour blindness.
const LABELS = [
  ['cpu-throttled', '#481800', '#a8f060', 'a CPU quota stops all threads until its next period begins'],
  ['host-stalled', '#302454', '#9c3cc0', 'the host keeps the whole process from running'],
  ['lock-contention', '#820e93', '#ff6bbd', 'goroutines queue for mutexes'],
  ['gc-pressure', '#c47e06', '#c6bc21', 'the collector takes the time of those who want to work'],
  ['syscall-storm', '#3c17f1', '#5c88ff', 'more goroutines are in system calls than there are Ps, and lose their Ps there'],
  ['scheduler-imbalance', '#035144', '#7bb96c', 'goroutines wait to run while a P is free'],
  ['stuck-proc', '#0e0d2d', '#e4ffe0', 'one system call, C call or computation does not end'],
  ['cpu-saturated', '#a83200', '#d9430c', 'every P is busy and a queue waits'],
  ['slow-syscalls', '#a28465', '#0056ff', 'several goroutines are in calls that take long and are not meant to'],
  ['deadlock', '#6d29ca', '#238454', 'goroutines wait for each other, and nothing moves'],
  ['blocked-in-request', '#5b97c7', '#97f8fd', 'requests wait inside the process: for a pool, a limit, a channel, a straggler'],
  ['network-bound', '#0093f5', '#45dcff', 'goroutines wait for answers from the network, and there is nothing else to do'],
  ['goroutine-leak', '#3c1a03', '#a733c1', 'goroutines are started at one place and never end'],
  ['timer-load', '#101e62', '#a2fa17', 'Ps are kept busy by timers that fire'],
  ['busy-polling', '#9349b5', '#c957d1', 'goroutines ask again and again whether there is something to do'],
  ['thundering-herd', '#f72de3', '#6a46fc', 'many are woken together, find nothing to do and wait again'],
  ['retry-storm', '#010100', '#0b8b42', 'connections fail and are tried again at once'],
  ['healthy', '#74808b', '#75828d', 'no rule matched, which does not say that all is well'],
  ['idle', '#8d98a1', '#66727c', 'no rule matched, and there was hardly anything to do'],
  ['not-inspected', '#8d98a1', '#66727c', 'the trace could not be inspected, or only a part of it'],
  ['no label', '#8d98a1', '#66727c', 'not inspected, or not yet'],
  ['other', '#4a5a00', '#d8d0b0', 'a label that this page does not know'],
];
const CODES = LABELS.map((l) => l[0]);
const HEALTHY = CODES.indexOf('healthy'), IDLE = CODES.indexOf('idle');
const UNINSPECTED = CODES.indexOf('not-inspected'), NONE = CODES.indexOf('no label');
const OTHER = CODES.indexOf('other');
const isIll = (i) => i < HEALTHY || i === OTHER;
// Height tells ill from well without any colour.
const markHeight = (i) => (isIll(i) ? 14 : i === HEALTHY ? 9 : 5);

function labelIndex(code) {
  if (typeof code !== 'string') return NONE;
  const i = CODES.indexOf(code);
  return i < 0 || i === NONE ? OTHER : i;
}

const $ = (id) => document.getElementById(id);

function el(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  for (const c of children) if (c !== null && c !== undefined) e.append(c);
  return e;
}

function button(text, run, className) {
  const b = el('button', className, text);
  b.type = 'button';
  b.addEventListener('click', run);
  return b;
}

function setText(e, text) { if (e.textContent !== text) e.textContent = text; }
function setClass(e, name) { if (e.className !== name) e.className = name; }
function setHidden(e, hidden) { if (e.hidden !== hidden) e.hidden = hidden; }
const text = (v) => (v === null || v === undefined ? '' : String(v));
const number = (v) => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const time = (v) => { const t = Date.parse(text(v)); return Number.isNaN(t) ? null : t; };
const sum = (o) => Object.values(o || {}).reduce((a, b) => a + number(b), 0);
const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || one + 's'}`;

function count(n) { return Math.round(number(n)).toLocaleString('en').replace(/,/g, '\u202f'); }

function three(v) {
  if (v === 0) return '0';
  const a = Math.abs(v);
  return a >= 100 ? count(v) : String(Number(v.toPrecision(a >= 1 ? 3 : 2)));
}

function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let i = 0, v = number(bytes);
  while (v >= 1000 && i < units.length - 1) { v /= 1024; i++; }
  return `${i === 0 ? v : three(v)} ${units[i]}`;
}

function latency(seconds) {
  const v = number(seconds);
  if (v >= 1) return `${three(v)} s`;
  if (v >= 1e-3) return `${three(v * 1e3)} ms`;
  return v >= 1e-6 ? `${three(v * 1e6)} µs` : `${three(v * 1e9)} ns`;
}

function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

// How long ago: minutes suffice.
const ago = (ms) => `${span(ms < 60e3 ? ms : Math.floor(ms / 60e3) * 60e3)} ago`;
const two = (n) => String(n).padStart(2, '0');
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const hours = (t) => { const d = new Date(t); return `${two(d.getHours())}:${two(d.getMinutes())}`; };
const clock = (t) => `${hours(t)}:${two(new Date(t).getSeconds())}`;
const day = (t) => { const d = new Date(t); return `${d.getDate()} ${MONTHS[d.getMonth()]}`; };
const moment = (t) => (t === null ? '' : day(t) === day(now()) ? clock(t) : `${day(t)}, ${clock(t)}`);

// As the daemon makes a directory's name of a service or a host (lib/record/name.c).
const utf8 = new TextEncoder();
const parts = new Map();
function part(name) {
  let safe = parts.get(name);
  if (safe === undefined) {
    safe = '';
    for (const b of utf8.encode(name).subarray(0, 100)) {
      const c = String.fromCharCode(b);
      safe += /[A-Za-z0-9._-]/.test(c) ? c : '_';
    }
    if (safe === '' || safe === '.') safe = '_';
    if (safe === '..') safe = '__';
    if (parts.size > 100000) parts.clear();
    parts.set(name, safe);
  }
  return safe;
}

const RANGES = [['1h', 3600e3], ['6h', 6 * 3600e3], ['24h', 86400e3], ['7d', 7 * 86400e3], ['all', Infinity]];
const PAGE = 1000;
const POLL = 5000, POLL_HIDDEN = 30000, STOP_HIDDEN = 600000;

const S = {
  token: sessionStorage.getItem('contrace-token') || '',
  skew: 0,            // the daemon's clock less ours, ms
  status: null, ready: null,
  lost: null,         // since when the daemon has not answered
  problem: null,      // what else it answered
  asksToken: false, tokenRefused: false,
  targets: [], total: 0, targetsAt: 0, targetsKnown: false,
  histories: new Map(), // by service/host: {captures, sorted}
  captures: new Map(),  // by key
  floor: Infinity,    // captures from here on were asked for
  newest: -Infinity,  // of those that were listed
  rules: { list: [], total: 0 }, rulesAt: 0, rulesShown: '',
  incidents: [], incidentsShown: '',
  loading: false, complete: false, fetched: 0, signature: '',
  range: '24h', filter: '', sort: 'worst', picked: new Set(),
  domain: [0, 1], decades: [-6, -2], shown: [], counts: [],
  orders: new Set(),
};
const now = () => Date.now() + S.skew;

class Failure extends Error {
  constructor(status, message, retryAfter) { super(message); this.status = status; this.retryAfter = retryAfter; }
}

async function ask(path, options = {}) {
  const headers = { Accept: 'application/json' };
  if (S.token) headers.Authorization = `Bearer ${S.token}`;
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, {
      method: options.body === undefined ? 'GET' : 'POST', headers, cache: 'no-store', credentials: 'omit',
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.timeout === 0 ? undefined : AbortSignal.timeout(options.timeout || 15000),
    });
  } catch {
    throw new Failure(0, 'contraced does not answer');
  }
}

async function api(path, options) {
  const reply = await ask(path, options);
  let raw, body = null;
  try { raw = await reply.text(); } catch { throw new Failure(0, 'contraced broke off'); }
  try { body = JSON.parse(raw); } catch { /* said below */ }
  if (reply.ok && body !== null && typeof body === 'object') return body;
  const said = body && typeof body.error === 'string' ? body.error : reply.ok ? 'what it answered is no JSON' : reply.statusText;
  throw new Failure(reply.status, said, Number(reply.headers.get('Retry-After')) || 0);
}

const query = (o) => `?${new URLSearchParams(Object.entries(o).filter((e) => e[1] !== undefined))}`;
const keyPath = (key, suffix) =>
  '/api/v1/captures/' + key.replace(/\.trace$/, '').split('/').map(encodeURIComponent).join('/') + suffix;

// Rows and lines tell of traces; what else a target has is to be fetched below them.
const isTrace = (key) => /\/\d+(-\d+)*\.trace$/.test(key);

function history(service, host) {
  const id = `${part(service)}/${part(host)}`;
  let h = S.histories.get(id);
  if (!h) S.histories.set(id, h = { id, service, host, captures: [], sorted: true });
  return h;
}

function takeCapture(c) {
  const t = time(c.start), key = text(c.key);
  if (t === null || !isTrace(key)) return;
  let known = S.captures.get(key);
  if (!known) {
    const h = history(text(c.service), text(c.host));
    known = { key, t, history: h, service: text(c.service), host: text(c.host) };
    S.captures.set(key, known);
    if (h.captures.length && h.captures[h.captures.length - 1].t > t) h.sorted = false;
    h.captures.push(known);
  }
  known.bytes = number(c.bytes);
  known.state = text(c.state);
  known.incident = text(c.incident);
  takeLabel(known, c);
}

function takeLabel(known, c) {
  const p99 = typeof c.scheduler_latency_p99_seconds === 'number' ? c.scheduler_latency_p99_seconds : null;
  known.code = typeof c.label === 'string' ? c.label : null;
  known.label = labelIndex(c.label);
  known.p99 = p99;
}

function sorted(h) {
  if (!h.sorted) { h.captures.sort((a, b) => a.t - b.t); h.sorted = true; }
  return h.captures;
}

// What retention has deleted goes from here, too.
function forgetBefore(t) {
  for (const h of S.histories.values()) {
    const list = sorted(h);
    let n = 0;
    while (n < list.length && list[n].t < t) S.captures.delete(list[n++].key);
    if (n) { h.captures = list.slice(n); for (const r of rows.values()) if (r.history === h) r.hover = -1; }
    if (!h.captures.length) S.histories.delete(h.id);
  }
}

const rangeStart = () => { const r = RANGES.find((x) => x[0] === S.range)[1]; return r === Infinity ? -Infinity : now() - r; };

// Newest first, page by page, drawn as they come. Only what is not here yet is asked for.
async function pages(since, until) {
  let before;
  do {
    const page = await api('/api/v1/captures' + query({
      since: since === -Infinity ? undefined : new Date(since).toISOString(),
      until: until === undefined ? undefined : new Date(until).toISOString(), artifact: 'trace', limit: PAGE, before,
    }), { timeout: 60000 });
    const list = Array.isArray(page.captures) ? page.captures : [];
    for (const c of list) { takeCapture(c); S.newest = Math.max(S.newest, time(c.start) ?? -Infinity); }
    S.fetched += list.length;
    before = list.length && page.before ? page.before : undefined;
    refresh();
  } while (before);
}

async function loadCaptures() {
  if (S.loading) return;
  const since = rangeStart();
  const signature = JSON.stringify(['captures.by_result', 'inspections.by_result', 'spool.archive.files',
    'spool.pending.files'].map((path) => dig(S.status, path))); // what changes with what is kept
  S.loading = true;
  try {
    if (S.floor === Infinity) {
      await pages(since);
      S.floor = since;
    } else {
      if (signature !== S.signature) await pages(newsFrom());
      if (since < S.floor) { await pages(since, S.floor); S.floor = since; }
    }
    S.signature = signature;
    S.complete = true;
  } finally {
    S.loading = false;
    refresh();
  }
  if (rangeStart() < S.floor) await loadCaptures(); // the range was changed meanwhile
}

// From where something may have changed: a little before the newest, and back to young ones without a label.
function newsFrom() {
  const young = now() - 600e3;
  let from = S.newest - 120e3;
  for (const h of S.histories.values()) {
    const list = sorted(h);
    for (let i = list.length - 1; i >= 0 && list[i].t > young; i--)
      if (list[i].code === null) from = Math.min(from, list[i].t - 1000);
  }
  return Math.max(S.floor, from);
}

async function loadTargets() {
  const found = [];
  let after, total = 0;
  do {
    const page = await api('/api/v1/targets' + query({ limit: PAGE, after }));
    const list = Array.isArray(page.targets) ? page.targets : [];
    found.push(...list);
    total = number(page.total);
    after = list.length && page.after ? page.after : undefined;
  } while (after);
  S.targets = found;
  S.total = Math.max(total, found.length);
  S.targetsAt = Date.now();
  S.targetsKnown = true;
  // The last trace is told even if it lies before what is shown. Its label may be known here
  // before the list of captures has it.
  for (const { service, host, last } of found) {
    const known = last && last.key ? S.captures.get(last.key) : null;
    if (known && known.code === null) takeLabel(known, last);
    else if (last && last.key && !known)
      takeCapture({ ...last, service, host, start: last.captured || last.start });
  }
}

// All, if these are few; else those that fired.
const RULES = 50;

async function loadRules() {
  if (S.rules.total > RULES && Date.now() - S.rulesAt < 30000) return; // contraced looks through all of them
  let page = await api('/api/v1/triggers' + query({ limit: RULES }));
  const total = number(page.total);
  if (total > RULES) page = await api('/api/v1/triggers' + query({ limit: RULES, state: 'fired' }));
  S.rulesAt = Date.now();
  S.rules = { list: Array.isArray(page.triggers) ? page.triggers : [], total };
}

function ruleRow(r) {
  const state = text(r.state), fired = time(r.fired), failing = state === 'poll_failing';
  const sees = failing && r.poll ? `${text(r.poll.result)}: ${text(r.poll.text)}` : text(r.text);
  const said = state === 'pending' ? `pending ${number(r.over)} of ${number(r.for)}` : state;
  const className = ['fired', 'pending', 'refused'].includes(state) ? 'warn' : failing || state === 'blind' ? 'bad' : '';
  return el('tr', '', el('td', className, said), el('td', '', text(r.rule)),
    el('td', '', `${text(r.service)} ${text(r.address)}`),
    el('td', '', fired === null ? '' : ago(now() - fired)), el('td', '', sees));
}

function showRules() {
  const { list, total } = S.rules, signature = JSON.stringify([list, Math.floor(now() / 60e3)]);
  setHidden($('rules'), total === 0);
  if (S.rulesShown === signature) return;
  S.rulesShown = signature;
  $('rules-rows').replaceChildren(...list.map(ruleRow));
  setText($('rules-more'), total > RULES ? `${total} rules at targets: these are those that fired` : '');
}

async function loadIncidents() {
  const page = await api('/api/v1/incidents');
  S.incidents = Array.isArray(page.incidents) ? page.incidents : [];
}

// What a rule saw, and what that was held against; or who asked.
function whyOf(r) {
  const t = r.trigger;
  if (!t || typeof t !== 'object') return text(r.reason);
  return `${text(r.reason)}: ${three(number(t.value))} ${text(t.unit)}, the limit is ${three(number(t.threshold))}`;
}

const parted = (list, none) => (list.length ? list.flatMap((e, i) => (i ? [' · ', e] : [e])) : [none]);

function incidentRow(r) {
  const at = time(r.start), list = Array.isArray(r.artifacts) ? r.artifacts : [];
  const had = list.filter((a) => a.key).map((a) =>
    download({ key: text(a.key) }, isTrace(a.key) ? '.trace' : '', text(a.key).replaceAll('/', '-'), text(a.artifact), 'link'));
  const not = list.filter((a) => !a.key).map((a) => {
    const said = el('span', '', `${text(a.artifact)}: ${text(a.outcome || a.state).replaceAll('_', ' ')}`);
    said.title = text(a.text);
    return said;
  });
  const when = el('td', '', at === null ? '' : ago(now() - at), r.ended ? '' : ', under way');
  when.title = text(r.incident);
  return el('tr', '', when, el('td', '', `${text(r.service)} ${text(r.host)}`), el('td', '', whyOf(r)),
    el('td', '', ...parted(had, 'nothing')), el('td', '', ...parted(not, '')));
}

function showIncidents() {
  const signature = JSON.stringify([S.incidents, Math.floor(now() / 60e3)]);
  setHidden($('incidents'), S.incidents.length === 0);
  if (S.incidentsShown === signature || $('incidents-rows').contains(document.activeElement)) return;
  S.incidentsShown = signature;
  $('incidents-rows').replaceChildren(...S.incidents.map(incidentRow));
}

let timer = 0, ticking = false, again = false, hiddenSince = null;

async function tick() {
  if (ticking) { again = true; return; }
  ticking = true;
  clearTimeout(timer);
  try {
    const status = await api('/api/v1/status');
    const at = time(status.now);
    if (at !== null) S.skew = at - Date.now();
    S.status = status;
    S.lost = null; S.problem = null; S.asksToken = false;
    const ready = await ask('/-/ready');
    S.ready = ready.ok ? null : (await ready.text()).slice(0, 1000) || 'not ready';
    const old = Date.now() - S.targetsAt;
    if (S.orders.size || S.total <= PAGE || old > 30000) await loadTargets();
    await loadRules();
    await loadIncidents();
    const oldest = status.spool && time(status.spool.oldest);
    if (oldest) forgetBefore(oldest - 1000);
    refresh();
    await loadCaptures();
    followOrders();
  } catch (e) {
    failed(e);
  } finally {
    ticking = false;
    const soon = again || S.orders.size;
    again = false;
    refresh();
    schedule(soon ? 1000 : document.visibilityState === 'hidden' ? POLL_HIDDEN : POLL);
  }
}

function failed(e) {
  if (!(e instanceof Failure)) throw e;
  if (e.status === 401) {
    S.asksToken = true;
    S.tokenRefused = S.token !== '';
  } else if (e.status === 0) {
    S.lost = S.lost || Date.now();
  } else {
    S.problem = `${e.message} (HTTP ${e.status})`;
  }
}

function schedule(wait) {
  clearTimeout(timer);
  if (S.asksToken) return;
  if (hiddenSince !== null && Date.now() - hiddenSince > STOP_HIDDEN) return;
  timer = setTimeout(tick, wait);
}

document.addEventListener('visibilitychange', () => {
  hiddenSince = document.visibilityState === 'hidden' ? Date.now() : null;
  if (hiddenSince === null) tick();
});

const rows = new Map(); // by an id that stays

function rowOf(id, target, h) {
  let r = rows.get(id);
  if (!r) rows.set(id, r = { id, view: null, hover: -1 });
  r.target = target;
  r.history = h;
  r.service = target ? text(target.service) : h.service;
  r.host = target ? text(target.host) : h.host;
  r.address = target ? text(target.address || target.target) : '';
  r.state = target ? text(target.state) || 'new' : 'not configured';
  r.failing = target ? number(target.failures) > 0 : false;
  r.place = `${r.service}\u0000${r.host}\u0000${r.address}`;
  return r;
}

function collectRows() {
  const seen = new Set(), used = new Set(), found = [];
  for (const t of S.targets) {
    if (typeof t !== 'object' || t === null) continue;
    let id = `t ${text(t.job)} ${text(t.target)} ${text(t.service)}`;
    if (seen.has(id)) id += ` ${seen.size}`;
    const hid = `${part(text(t.service))}/${part(text(t.host))}`;
    seen.add(id);
    used.add(hid);
    found.push(rowOf(id, t, S.histories.get(hid) || null));
  }
  if (S.targetsKnown)
    for (const h of S.histories.values())
      if (!used.has(h.id)) { seen.add(`h ${h.id}`); found.push(rowOf(`h ${h.id}`, null, h)); }
  for (const [id, r] of rows) if (!seen.has(id)) { dropView(r); rows.delete(id); }
  return found;
}

const firstAt = (list, t) => { // index of the first that is not older
  let a = 0, b = list.length;
  while (a < b) { const m = (a + b) >> 1; if (list[m].t < t) a = m + 1; else b = m; }
  return a;
};

function measure(r, start) {
  const list = r.history ? sorted(r.history) : [];
  r.from = firstAt(list, start);
  r.counts = new Array(LABELS.length).fill(0);
  for (let i = r.from; i < list.length; i++) r.counts[list[i].label]++;
  r.last = list.length ? list[list.length - 1] : null;
}

const rank = (r) => (!r.target ? 0 : r.failing ? 4 : r.last && isIll(r.last.label) ? 3 : r.last ? 2 : 1);
const p99Of = (r) => (r.last && r.last.p99 !== null ? r.last.p99 : -1);
const byName = (a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0);
const ORDERS = {
  worst: (a, b) => rank(b) - rank(a) || p99Of(b) - p99Of(a) || byName(a, b),
  name: byName,
  p99: (a, b) => p99Of(b) - p99Of(a) || byName(a, b),
  recent: (a, b) => (b.last ? b.last.t : 0) - (a.last ? a.last.t : 0) || byName(a, b),
};

function matches(r, words) {
  if (S.picked.size && ![...S.picked].some((i) => r.counts[i] > 0)) return false;
  if (!words.length) return true;
  const labels = CODES.filter((c, i) => r.counts[i] > 0), job = r.target ? text(r.target.job) : '';
  const hay = [r.service, r.host, r.address, job, r.state, r.failing ? 'failing' : '', ...labels].join(' ').toLowerCase();
  return words.every((w) => hay.includes(w));
}

function arrange() {
  const start = rangeStart();
  const all = collectRows();
  let oldest = Infinity, low = Infinity, high = 0;
  S.counts = new Array(LABELS.length).fill(0);
  const counted = new Set();
  for (const r of all) {
    measure(r, start);
    if (!r.history || counted.has(r.history)) continue;
    counted.add(r.history);
    r.counts.forEach((n, i) => { S.counts[i] += n; });
    const list = r.history.captures;
    for (let i = r.from; i < list.length; i++) {
      oldest = Math.min(oldest, list[i].t);
      const v = list[i].p99;
      if (v > 0) { low = Math.min(low, v); high = Math.max(high, v); }
    }
  }
  const end = now();
  S.domain = [start === -Infinity ? Math.min(oldest, end - 3600e3) : start, end];
  if (high > 0) {
    const a = Math.max(-9, Math.log10(low) - 0.1), b = Math.log10(high) + 0.1;
    const more = Math.max(0, 2 - (b - a)) / 2; // two decades at least
    S.decades = [a - more, b + more];
  }
  const words = S.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = all.filter((r) => matches(r, words));
  // Rows do not move under a hand: while pointer or focus is on them they keep their order.
  if (holding() && S.shown.length) {
    const before = new Map(S.shown.map((r, i) => [r, i]));
    wanted.sort((a, b) => (before.get(a) ?? Infinity) - (before.get(b) ?? Infinity) || 0);
  } else {
    wanted.sort(ORDERS[S.sort] || ORDERS.worst);
  }
  S.shown = wanted;
  S.rowCount = all.length;
}

let pointerOnRows = false, forceOrder = false;
const holding = () => !forceOrder && (pointerOnRows || $('rows').contains(document.activeElement));

let theme = {}, width = 0, rowHeight = 72, gutter = 48, canvasHeight = 62;
const STRIP = 16;
const dark = matchMedia('(prefers-color-scheme: dark)');

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['text', 'soft', 'grid', 'accent', 'track']) theme[name] = style.getPropertyValue(`--${name}`).trim();
  rowHeight = parseFloat(style.getPropertyValue('--row')) || 72;
  theme.labels = LABELS.map((l) => (dark.matches ? l[2] : l[1]));
  theme.font = `10px ${getComputedStyle(document.body).fontFamily}`;
}

function readLayout() {
  readTheme();
  width = Math.floor($('axis').parentElement.clientWidth);
  canvasHeight = matchMedia('(max-width: 900px)').matches ? 56 : rowHeight - 10;
  refresh();
}

function paper(canvas, height) {
  const scale = window.devicePixelRatio || 1;
  const w = Math.max(1, Math.round(width * scale)), h = Math.round(height * scale);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const g = canvas.getContext('2d');
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, width, height);
  return g;
}

const plotWidth = () => Math.max(1, width - gutter - 4);
const xOf = (t) => gutter + (t - S.domain[0]) / (S.domain[1] - S.domain[0]) * plotWidth();
const yOf = (p99) => {
  const [a, b] = S.decades, top = STRIP + 6, bottom = canvasHeight - 5;
  return bottom - Math.min(1, Math.max(0, (Math.log10(p99) - a) / (b - a))) * (bottom - top);
};

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 43200].map((m) => m * 60e3);
function ticks() {
  const [a, b] = S.domain;
  const step = STEPS.find((s) => (b - a) / s <= Math.max(2, plotWidth() / 64)) || 86400e3 * Math.ceil((b - a) / 86400e3 / 8);
  const zone = new Date(b).getTimezoneOffset() * 60e3;
  const found = [];
  for (let t = Math.ceil((a - zone) / step) * step + zone; t <= b && found.length < 100; t += step) found.push(t);
  return { found, step };
}

function drawAxis() {
  const g = paper($('axis'), 30), { found, step } = ticks();
  g.font = theme.font.replace('10px', '11px');
  g.textBaseline = 'middle';
  for (const t of found) {
    const d = new Date(t), midnight = d.getHours() === 0 && d.getMinutes() === 0;
    const name = step >= 86400e3 || midnight ? day(t) : hours(t);
    g.fillStyle = midnight ? theme.text : theme.soft;
    g.textAlign = xOf(t) > width - 24 ? 'right' : 'center';
    g.fillText(name, Math.min(xOf(t), width), 15);
    g.fillRect(Math.round(xOf(t)), 26, 1, 4);
  }
  g.textAlign = 'left';
  g.fillStyle = theme.soft;
  g.fillText('p99', 2, 15);
}

function drawGrid(g) {
  g.fillStyle = theme.grid;
  for (const t of S.ticks) g.fillRect(Math.round(xOf(t)), 0, 1, canvasHeight);
  const [a, b] = S.decades, first = Math.ceil(a), every = Math.ceil((Math.floor(b) - first + 1) / 3);
  g.font = theme.font;
  g.textBaseline = 'middle';
  g.textAlign = 'right';
  for (let d = first; d <= b; d += every) {
    const y = yOf(10 ** d);
    g.fillStyle = theme.grid;
    g.fillRect(gutter, Math.round(y), width - gutter, 1);
    g.fillStyle = theme.soft;
    g.fillText(latency(10 ** d), gutter - 6, Math.min(y, canvasHeight - 6));
  }
}

// Where several captures fall into one column the worst is drawn last; of latencies the highest counts.
function columns(r) {
  const list = r.history.captures, marks = new Map(), points = new Map();
  const worth = (c) => (S.picked.has(c.label) ? 100 : 0) + (isIll(c.label) ? 50 - c.label : c.label === HEALTHY ? 2 : 1);
  for (let i = r.from; i < list.length; i++) {
    const c = list[i], x = Math.round(xOf(c.t));
    const m = marks.get(x);
    if (!m || worth(c) >= worth(m)) marks.set(x, c);
    if (c.p99 > 0) { const p = points.get(x); if (!p || p.p99 < c.p99) points.set(x, c); }
  }
  return { marks: [...marks].sort((a, b) => worth(a[1]) - worth(b[1])), points: [...points].sort((a, b) => a[0] - b[0]) };
}

function drawRow(r) {
  const g = paper(r.view.canvas, canvasHeight);
  drawGrid(g);
  if (!r.history || r.from >= r.history.captures.length) { drawNothing(g, r); return; }
  const { marks, points } = columns(r);
  const thick = marks.length > plotWidth() / 5 ? 2 : 3;
  g.fillStyle = theme.track;
  g.fillRect(gutter, STRIP - 1, plotWidth() + 4, 1);
  for (const [x, c] of marks) {
    const h = markHeight(c.label);
    g.globalAlpha = S.picked.size && !S.picked.has(c.label) ? .18 : 1;
    g.fillStyle = theme.labels[c.label];
    if (c.label === NONE || c.label === UNINSPECTED) g.fillRect(x - 1, STRIP - h, thick, 2);
    else g.fillRect(x - 1, STRIP - 1 - h, thick, h);
    if (c.incident) { g.fillStyle = theme.accent; g.fillRect(x - 1, 0, 3, 3); }
  }
  g.globalAlpha = 1;
  g.strokeStyle = theme.soft;
  g.globalAlpha = .6;
  g.lineWidth = 1.25;
  g.beginPath();
  points.forEach(([x, c], i) => { if (i) g.lineTo(x, yOf(c.p99)); else g.moveTo(x, yOf(c.p99)); });
  g.stroke();
  const dot = points.length > plotWidth() / 4 ? 2 : 3;
  for (const [x, c] of points) {
    if (dot === 2 && !isIll(c.label)) continue;
    g.globalAlpha = S.picked.size && !S.picked.has(c.label) ? .18 : 1;
    g.fillStyle = theme.labels[c.label];
    g.fillRect(x - dot / 2, yOf(c.p99) - dot / 2, dot, dot);
  }
  g.globalAlpha = 1;
  if (r.hover >= r.from && r.hover < r.history.captures.length) drawHover(g, r.history.captures[r.hover]);
}

function drawHover(g, c) {
  const x = Math.round(xOf(c.t));
  g.strokeStyle = theme.accent;
  g.lineWidth = 2;
  g.strokeRect(x - 4, 0.5, 8, STRIP);
  if (c.p99 > 0) { g.beginPath(); g.arc(x, yOf(c.p99), 5, 0, 7); g.stroke(); }
}

function drawNothing(g, r) {
  g.fillStyle = theme.soft;
  g.font = theme.font.replace('10px', '12px');
  g.textAlign = 'left';
  const older = r.history && r.history.captures.length;
  const said = older ? `nothing in the last ${S.range}; the last was ${moment(r.last.t)}`
    : S.complete ? 'no capture yet in this range' : 'loading…';
  g.fillText(said, gutter + 8, canvasHeight / 2);
}

function makeView(r) {
  const v = {};
  v.el = el('div', 'row grid');
  v.el.setAttribute('role', 'row');
  const cell = (className, ...children) => {
    const c = el('div', className, ...children);
    c.setAttribute('role', 'cell');
    v.el.append(c);
    return c;
  };
  v.service = el('b');
  v.where = el('span', 'soft');
  v.state = el('span', 'state');
  cell('name', v.service, v.where, v.state);
  v.chip = button('', () => r.last && openDetails(r.last), 'chip');
  v.swatch = el('i', 'swatch');
  v.label = el('span');
  v.chip.append(v.swatch, v.label);
  v.when = el('span', 'line soft');
  v.numbers = el('span');
  v.others = el('span');
  v.othersOf = '';
  cell('last', v.chip, v.when, el('span', 'line soft', v.numbers, v.others));
  v.canvas = el('canvas');
  v.canvas.tabIndex = 0;
  v.canvas.setAttribute('role', 'slider');
  v.canvas.setAttribute('aria-orientation', 'horizontal');
  listen(v.canvas, r);
  cell('line-of', v.canvas);
  v.next = el('div', 'next soft');
  v.capture = button('Capture', () => order({ target: text(r.target.target) }, `${r.service} · ${r.host}`));
  v.all = button('', () => order({ service: r.service }, `every target of ${r.service}`));
  cell('acts', v.next, el('div', 'buttons', v.capture, v.all));
  r.view = v;
}

function dropView(r) {
  if (r.view) { r.view.el.remove(); r.view = null; }
}

const STATES = { ok: 'ok', new: 'not captured yet', busy: 'busy: somebody else traces it', short: 'short: the last trace ended early' };

const FLIGHTS = {
  waiting: 'waits for its turn', room: 'waits for room', lead: 'its CPU profile begins', looking_up: 'finding its pid', publishing: 'publishing',
};

function flightText(f) {
  if (f.state !== 'capturing') return FLIGHTS[f.state] || text(f.state);
  const t = time(f.start), past = t === null ? 0 : Math.max(0, now() - t) / 1000;
  const whole = number(f.seconds); // none of a snapshot
  const done = Math.min(past, whole || past).toFixed(1);
  return `capturing: ${done}${whole ? ` of ${three(whole)}` : ''} s, ${size(f.bytes)}`;
}

const othersOf = (t) => (t && Array.isArray(t.artifacts) ? t.artifacts.filter((a) => a.artifact !== 'trace') : []);

// What fails of a target, its traces first: in words, and why; null when all is well.
function trouble(r) {
  const other = r.failing ? null : othersOf(r.target).find((a) => number(a.failures) > 0);
  const of = r.failing ? r.target : other;
  if (!of) return null;
  const why = of.last ? text(of.last.text) : '', name = other ? `${text(other.artifact)}: ` : '';
  const often = number(of.failures) > 1 ? `, ${count(of.failures)} in a row` : '';
  return { said: `▲ ${name}${text(of.state)}${often}${why && `: ${why}`}`, why };
}

// The newest profile of each other artifact, as a link; or why there is none.
function showOthers(v, t) {
  const list = othersOf(t);
  const of = JSON.stringify(list.map((a) => [a.artifact, a.state, a.last && a.last.key]));
  if (of === v.othersOf) return;
  v.othersOf = of;
  v.others.replaceChildren(...list.flatMap((a) => {
    const name = text(a.artifact), key = a.last && text(a.last.key);
    if (!key) return [' · ', el('span', '', a.state === 'new' ? `no ${name} yet` : `${name}: ${text(a.state)}`)];
    const what = name === 'flight' ? 'flight recording' : `${name} profile`;
    const tool = name === 'flight' ? 'contrace summary and go tool trace' : 'go tool pprof';
    const said = `The newest ${what}, of ${moment(time(a.last.captured))}, for ${tool}`;
    const link = download({ key }, '', key.replaceAll('/', '-'), name, 'link');
    link.title = a.state === 'empty' ? `${said}; it has no samples` : said;
    return [' · ', link];
  }));
}

function updateView(r, siblings) {
  const v = r.view, t = r.target, c = r.last;
  setText(v.service, r.service);
  v.service.title = t ? text(t.target) : r.service;
  setText(v.where, r.address.startsWith(r.host) ? r.address : [r.host, r.address].filter(Boolean).join(' · '));
  v.where.title = v.where.textContent;
  const flight = t && t.in_flight;
  const bad = flight ? null : trouble(r);
  setText(v.state, flight ? flightText(flight) : bad ? bad.said : STATES[r.state] || r.state);
  v.state.title = bad ? bad.why : t && t.last ? text(t.last.text) : '';
  setClass(v.state, bad ? 'state bad' : 'state');
  setClass(v.el, t ? 'row grid' : 'row grid gone');
  setHidden(v.chip, !c);
  if (c) {
    setText(v.label, labelOf(c));
    v.swatch.style.background = theme.labels[c.label];
    v.swatch.style.height = `${markHeight(c.label)}px`;
    setClass(v.chip, isIll(c.label) ? 'chip' : 'chip quiet');
    v.chip.title = `${LABELS[c.label][3]}; open this capture`;
  }
  setText(v.when, c ? ago(now() - c.t) : 'none yet');
  v.when.title = c ? moment(c.t) : '';
  setText(v.numbers, c ? `${p99Text(c)} · ${size(c.bytes)}` : '');
  showOthers(v, t);
  const due = t ? time(t.next) : null;
  setText(v.next, due === null ? '' : suspended() ? 'suspended' : due <= now() ? 'due now' : `in ${span(due - now())}`);
  setHidden(v.capture, !t);
  const many = siblings.get(r.service) || 0;
  setHidden(v.all, !t || many < 2);
  setText(v.all, `all ${many}`);
  v.all.title = `Capture all ${many} targets of ${r.service}`;
  v.capture.setAttribute('aria-label', `Capture ${r.service} on ${r.host} now`);
  v.all.setAttribute('aria-label', v.all.title);
  v.canvas.setAttribute('aria-label', `Captures of ${r.service} on ${r.host}`);
  const n = r.history ? r.history.captures.length - r.from : 0;
  v.canvas.setAttribute('aria-valuemin', '0');
  v.canvas.setAttribute('aria-valuemax', String(Math.max(0, n - 1)));
  v.canvas.setAttribute('aria-valuenow', String(Math.max(0, (r.hover < 0 ? r.from + n - 1 : r.hover) - r.from)));
  const at = r.hover >= 0 && r.history ? r.history.captures[r.hover] : c;
  v.canvas.setAttribute('aria-valuetext', at ? describe(at).join(', ') : 'no capture');
}

const suspended = () => S.status && S.status.suspended && (S.status.suspended.causes || []).length > 0;
const labelOf = (c) => (c.code === null ? 'no label' : c.code);
const p99Text = (c) => (c.p99 === null ? 'p99 unknown' : `p99 ${latency(c.p99)}`);
const describe = (c) => [moment(c.t), labelOf(c), p99Text(c), size(c.bytes), ...(c.incident ? ['of an incident'] : [])];

function showRows(redraw) {
  const box = $('rows'), top = box.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(-top / rowHeight) - 4);
  const last = Math.min(S.shown.length, Math.ceil((innerHeight - top) / rowHeight) + 4);
  box.style.height = `${S.shown.length * rowHeight}px`;
  $('table').setAttribute('aria-rowcount', String(S.shown.length + 1));
  const visible = new Set(S.shown.slice(first, last));
  for (const r of rows.values())
    if (r.view && !visible.has(r)) dropView(r);
  const siblings = new Map();
  for (const t of S.targets) siblings.set(text(t.service), (siblings.get(text(t.service)) || 0) + 1);
  const focus = document.activeElement;
  let place = $('cross').nextSibling, i = first;
  for (const r of visible) {
    const fresh = !r.view;
    if (fresh) makeView(r);
    const v = r.view;
    if (v.el === place) place = place.nextSibling;
    else box.insertBefore(v.el, place);
    v.el.style.transform = `translateY(${i * rowHeight}px)`;
    v.el.setAttribute('aria-rowindex', String(i + 2));
    updateView(r, siblings);
    if (fresh || redraw) drawRow(r);
    i++;
  }
  if (focus !== document.activeElement && box.contains(focus)) focus.focus({ preventScroll: true });
}

function nearest(r, x) {
  if (!r.history) return -1;
  const list = r.history.captures;
  const t = S.domain[0] + (x - gutter) / plotWidth() * (S.domain[1] - S.domain[0]);
  const i = firstAt(list, t);
  let best = -1, distance = 9;
  for (const j of [i - 1, i]) {
    if (j < r.from || j >= list.length) continue;
    const d = Math.abs(xOf(list[j].t) - x);
    if (d < distance) { best = j; distance = d; }
  }
  return best;
}

function point(r, i, showTip) {
  if (!r.view) return;
  r.hover = i;
  drawRow(r);
  const c = i >= 0 && r.history ? r.history.captures[i] : null;
  setHidden($('tip'), !c || !showTip);
  if (!c || !showTip) return;
  const box = r.view.canvas.getBoundingClientRect(), tip = $('tip');
  const [when, label, ...rest] = describe(c);
  tip.replaceChildren(el('b', '', label), `${when} · ${rest.join(' · ')}`);
  const w = tip.offsetWidth, h = tip.offsetHeight;
  const x = Math.min(Math.max(8, box.left + xOf(c.t) - w / 2), innerWidth - w - 8);
  const y = box.top - h - 6 < 8 ? box.bottom + 6 : box.top - h - 6;
  tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  r.view.canvas.setAttribute('aria-valuenow', String(i - r.from));
  r.view.canvas.setAttribute('aria-valuetext', describe(c).join(', '));
}

function listen(canvas, r) {
  const at = (e) => e.clientX - canvas.getBoundingClientRect().left;
  canvas.addEventListener('pointermove', (e) => {
    const i = nearest(r, at(e));
    const cross = $('cross');
    cross.style.left = `${e.clientX - $('rows').getBoundingClientRect().left}px`;
    setHidden(cross, at(e) < gutter);
    if (i !== r.hover) point(r, i, true);
  });
  canvas.addEventListener('pointerleave', () => { setHidden($('cross'), true); point(r, -1, false); });
  canvas.addEventListener('click', (e) => {
    const i = nearest(r, at(e));
    if (i >= 0) openDetails(r.history.captures[i]);
  });
  canvas.addEventListener('blur', () => point(r, -1, false));
  canvas.addEventListener('keydown', (e) => {
    const n = r.history ? r.history.captures.length : 0;
    if (n <= r.from || e.ctrlKey || e.altKey || e.metaKey) return;
    const i = r.hover < 0 ? n : r.hover;
    const to = {
      ArrowLeft: i - 1, ArrowDown: i - 1, ArrowRight: i + 1, ArrowUp: i + 1,
      PageDown: i - 10, PageUp: i + 10, Home: r.from, End: n - 1,
    }[e.key];
    if (e.key === 'Enter' && r.hover >= 0) openDetails(r.history.captures[r.hover]);
    else if (to === undefined) return;
    else point(r, Math.min(n - 1, Math.max(r.from, to)), true);
    e.preventDefault();
  });
}

const CAUSES = {
  api: 'somebody asked for it', signal: 'a signal (SIGUSR2)',
  flag_file: 'the flag file is there; remove it', cpu_pressure: 'CPU pressure; it ends by itself',
};

function banner(id, kind, ...children) {
  let b = $(id);
  if (!children.length) { if (b) b.remove(); return; }
  if (!b) { b = el('div'); b.id = id; $('banners').append(b); }
  setClass(b, `banner ${kind}`);
  const said = children.map((c) => (typeof c === 'string' ? c : c.textContent)).join('|');
  if (b.dataset.said !== said) { b.dataset.said = said; b.replaceChildren(...children); }
}

function tokenForm() {
  const input = el('input');
  input.type = 'password';
  input.id = 'token';
  input.autocomplete = 'off';
  input.setAttribute('aria-label', 'Bearer token');
  const use = () => {
    S.token = input.value.trim();
    try { sessionStorage.setItem('contrace-token', S.token); } catch { /* kept for this page only */ }
    S.asksToken = false;
    tick();
  };
  input.addEventListener('keydown', (e) => { if (e.key === 'Enter') use(); });
  return [input, button('Use it', use, 'main')];
}

function showBanners() {
  const s = S.status;
  if (S.asksToken) {
    const said = S.tokenRefused ? 'That token is not the right one.' : 'This contraced asks for a token.';
    banner('b-token', 'warn', el('b', '', said),
      'It is what web.bearer_token_file holds; kept until this tab is closed.', ...tokenForm());
  } else banner('b-token', '');
  if (S.lost) {
    banner('b-lost', 'bad', el('b', '', `contraced has not answered since ${clock(S.lost)}.`),
      s ? 'What is shown is from then. It is asked again every 5 s.' : 'It is asked again every 5 s.');
  } else banner('b-lost', '');
  if (S.problem) banner('b-problem', 'bad', el('b', '', 'contraced refuses:'), S.problem);
  else banner('b-problem', '');
  if (S.ready && !S.lost) banner('b-ready', 'bad', el('b', '', 'Not ready:'), S.ready.trim().split('\n').join('; '));
  else banner('b-ready', '');
  if (suspended()) {
    const causes = s.suspended.causes.map((c) => {
      const since = time(c.since), more = c.text ? ` (${text(c.text)})` : '';
      return `${CAUSES[c.cause] || text(c.cause)}${more}${since === null ? '' : `, since ${moment(since)}`}`;
    });
    banner('b-suspended', 'warn', el('b', '', 'Scheduled captures are suspended:'),
      `${causes.join('; ')}. Captures on demand still work.`);
  } else banner('b-suspended', '');
  if (dig(s, 'inspections.enabled') === false)
    banner('b-inspect', '', el('b', '', 'Traces are not inspected,'), 'so they have no labels. '
      + 'Take inspect.enabled: false out of the configuration, or run contrace summary on a trace.');
  else banner('b-inspect', '');
}

function showHead() {
  const s = S.status;
  setClass($('light'), `light ${S.lost || S.asksToken ? 'bad' : !s ? '' : S.ready ? 'bad' : suspended() ? 'warn' : 'good'}`);
  if (!s) return;
  setText($('host'), text(s.host));
  const start = time(s.start);
  setText($('version'), `${text(s.version)} · up ${start === null ? '' : span(now() - start)}`);
  $('version').title = start === null ? '' : `since ${moment(start)}, pid ${text(s.pid)}`;
  document.title = `${S.lost ? '✕ ' : suspended() ? '⏸ ' : ''}${text(s.host)} – contrace`;
  const b = $('suspend');
  const own = suspended() && s.suspended.causes.some((c) => c.cause === 'api' || c.cause === 'signal');
  setText(b, own ? 'Resume' : 'Suspend');
  b.title = own ? 'Take scheduled captures again' : 'No scheduled captures until somebody resumes them';
  b.disabled = S.lost !== null || S.asksToken || b.dataset.busy === 'yes';
}

function big(id, value, small) {
  const e = $(id);
  if (e.dataset.said === value + small) return;
  e.dataset.said = value + small;
  e.replaceChildren(value, el('small', '', small ? ` ${small}` : ''));
}

function showTiles() {
  const s = S.status;
  if (!s) return;
  const t = s.targets || {}, c = s.captures || {}, p = s.spool || {}, u = s.upload, config = s.config || {};
  const failing = number(t.failing);
  big('t-targets', count(t.total), failing ? `${count(failing)} failing` : t.total ? 'all answer' : '');
  const reloaded = time(config.last_reload);
  const read = reloaded === null ? '' : `, read ${ago(now() - reloaded)}`;
  setText($('n-targets'), config.last_reload_ok === false ? 'the last reload failed: the old configuration is in force'
    : config.file ? text(config.file).replace(/^.*\//, '') + read : 'from the command line');
  $('n-targets').title = text(config.file);
  setClass($('n-targets'), config.last_reload_ok === false ? 'note bad' : 'note');
  const results = c.by_result || {}, lastOk = time(c.last_success);
  const rest = Object.entries(results).filter((e) => e[0] !== 'ok' && e[1] > 0).sort((a, b) => b[1] - a[1]).slice(0, 3);
  big('t-captures', count(number(results.ok) + number(results.truncated) + number(results.short)),
    c.in_flight ? `${count(c.in_flight)} in flight` : 'since the start');
  setText($('n-captures'), [lastOk === null ? 'none yet' : `last ${ago(now() - lastOk)}`,
    ...rest.map((e) => `${count(e[1])} ${e[0]}`)].join(' · '));
  showSpool(p);
  showUpload(u, p.pending || {});
}

function showSpool(p) {
  const archive = p.archive || {}, pending = p.pending || {};
  const used = number(archive.bytes) + number(pending.bytes), most = number(p.max_bytes);
  big('t-spool', size(used), most ? `of ${size(most)}` : '');
  const share = (n) => (most ? `${Math.min(100, n / most * 100)}%` : '0');
  const [a, b] = $('spool-bar').children;
  a.style.width = share(number(archive.bytes));
  b.style.width = share(number(pending.bytes));
  $('spool-bar').setAttribute('aria-label', most ? `${Math.round(used / most * 100)} % of storage used` : 'storage used');
  const oldest = time(p.oldest), past = oldest === null ? '' : ` of ${span(now() - oldest)}`;
  const traces = plural(number(archive.files) + number(pending.files), 'trace');
  setText($('n-spool'), p.refusing ? 'no room for captures: free some, or raise storage.max_bytes'
    : `${traces}${past} · disk: ${size(p.free_bytes)} free`);
  setClass($('n-spool'), p.refusing ? 'note bad' : 'note');
}

const BREAKER = {
  closed: '', open: 'the store is in trouble; it is tried again', parked: 'the store refuses: somebody must act',
};

function showUpload(u, pending) {
  if (!u) {
    big('t-upload', 'off', '');
    setText($('h-upload'), 'Upload');
    setText($('n-upload'), 'traces stay on this machine');
    setClass($('n-upload'), 'note');
    return;
  }
  const files = number(pending.files), oldest = time(pending.oldest), last = time(u.last_success);
  big('t-upload', files ? count(files) : 'none', files ? `waiting, ${size(pending.bytes)}` : 'waiting');
  const trouble = BREAKER[u.breaker] === undefined ? text(u.breaker) : BREAKER[u.breaker];
  const said = [trouble, files && oldest !== null ? `oldest ${span(now() - oldest)}` : '',
    last === null ? 'none sent yet' : `last sent ${ago(now() - last)}`];
  setText($('h-upload'), `Upload to ${text(u.to)}`);
  setText($('n-upload'), said.filter(Boolean).join(' · '));
  setClass($('n-upload'), trouble ? 'note bad' : 'note');
}

function showLegend() {
  const box = $('legend');
  const shown = CODES.map((c, i) => i).filter((i) => S.counts[i] > 0 || S.picked.has(i));
  const said = shown.join(' ');
  if (box.dataset.said !== said) {
    box.dataset.said = said;
    box.replaceChildren(...shown.map((i) => {
      const swatch = el('i', 'swatch'), b = button('', () => pick(i));
      b.append(swatch, CODES[i], el('span', 'count'));
      b.title = LABELS[i][3];
      b.dataset.label = String(i);
      return b;
    }));
  }
  for (const b of box.children) {
    const i = Number(b.dataset.label);
    b.setAttribute('aria-pressed', String(S.picked.has(i)));
    setText(b.lastElementChild, count(S.counts[i]));
    b.firstElementChild.style.background = theme.labels[i];
    b.firstElementChild.style.height = `${markHeight(i)}px`;
  }
}

function pick(i) {
  if (!S.picked.delete(i)) S.picked.add(i);
  forceOrder = true;
  refresh();
}

function showEmpty() {
  const e = $('empty'), s = S.status;
  let title = '', help = [];
  if (!s || S.asksToken || !S.targetsKnown) title = '';
  else if (!S.rowCount) {
    title = 'No targets yet';
    help = s.config && s.config.file
      ? ['List services under ', el('code', '', 'scrape_configs'), ' in ', el('code', '', text(s.config.file)),
        ', then ', el('code', '', 'kill -HUP'), ' contraced.']
      : ['Start contraced with ', el('code', '', '-t http://127.0.0.1:6060'),
        ': the address where the service serves net/http/pprof.'];
  } else if (!S.shown.length) {
    title = 'Nothing matches';
    help = [button('Show everything', () => { S.filter = $('filter').value = ''; S.picked.clear(); chosen(); })];
  } else if (S.complete && !S.captures.size) {
    title = S.range === 'all' ? 'No captures yet' : `No captures in the last ${S.range}`;
    const due = S.targets.map((t) => time(t.next)).filter((t) => t !== null);
    help = [due.length && !suspended() ? `The next is due in ${span(Math.min(...due) - now())}. ` : '', 'Capture takes one now.'];
  }
  setHidden(e, !title);
  const said = title + help.map((h) => h.textContent || h).join('');
  if (e.dataset.said !== said) { e.dataset.said = said; e.replaceChildren(el('h2', '', title), el('p', '', ...help)); }
}

let frame = 0;
function refresh() {
  if (!frame) frame = requestAnimationFrame(() => { frame = 0; render(); });
}

function render() {
  if (!theme.labels) readLayout();
  arrange();
  forceOrder = false;
  S.ticks = ticks().found;
  showRules();
  showIncidents();
  showHead(); showBanners(); showTiles(); showLegend(); showEmpty();
  drawAxis();
  showRows(true);
  for (const b of $('ranges').children) b.setAttribute('aria-pressed', String(b.textContent === S.range));
  const done = S.complete && !S.loading, total = String(sum(S.counts));
  const shown = S.shown.reduce((n, r) => n + (r.history ? r.history.captures.length - r.from : 0), 0);
  const others = S.shown.length < S.rowCount ? ` (of ${count(S.rowCount)})` : '';
  setText($('loaded'), done ? `${plural(shown, 'capture')} of ${plural(S.shown.length, 'target')}${others}`
    : S.status ? `${plural(S.fetched, 'capture')} loaded…` : '');
  if (done && document.body.dataset.drawn !== total) { // for those who watch: so many are drawn
    document.body.dataset.drawn = total;
    performance.mark('contrace-drawn');
  }
}

function noteCard(title) {
  const card = el('div', 'note-card'), body = el('div');
  const close = button('×', () => card.remove());
  close.setAttribute('aria-label', 'Close');
  card.append(el('div', 'top', el('span', '', title), close), body);
  $('notes').append(card);
  while ($('notes').children.length > 5) $('notes').firstChild.remove();
  return { card, body };
}

function complain(title, e) {
  const note = noteCard(title);
  note.card.classList.add('bad');
  note.body.append(e.message + (e.retryAfter ? ` (again in ${span(e.retryAfter * 1000)})` : ''));
  if (e.status === 401 || e.status === 0) { failed(e); refresh(); }
}

$('suspend').addEventListener('click', async () => {
  const b = $('suspend'), verb = b.textContent === 'Resume' ? 'resume' : 'suspend';
  b.dataset.busy = 'yes';
  b.disabled = true;
  try {
    await api(`/api/v1/${verb}`, { body: {} });
  } catch (e) { complain(`Could not ${verb}`, e); }
  delete b.dataset.busy;
  tick();
});

async function order(what, title) {
  const note = noteCard(title);
  const o = { what, note, bar: el('i'), state: el('div', 'soft', 'asking…'), keys: [] };
  note.body.append(o.state, el('div', 'bar', o.bar));
  S.orders.add(o);
  tick();
  try {
    const reply = await api('/api/v1/capture', { body: { ...what, wait: true, reason: 'status page' }, timeout: 0 });
    const list = (x) => (Array.isArray(x) ? x : []);
    note.body.replaceChildren(...list(reply.captures).map((c) => outcome(o, c)),
      ...list(reply.limited).map((c) => el('div', 'soft', `${text(c.host)}: was captured too often, not now`)));
  } catch (e) {
    note.card.classList.add('bad');
    note.body.replaceChildren(e.message + (e.retryAfter ? ` (again in ${span(e.retryAfter * 1000)})` : ''));
    if (e instanceof Failure && (e.status === 401 || e.status === 0)) failed(e);
  }
  S.orders.delete(o);
  if (o.keys.length) { o.until = Date.now() + 60000; S.orders.add(o); } // until the labels are known
  S.signature = '';
  tick();
}

function outcome(o, c) {
  const line = el('div');
  if (!c.key) {
    line.append(`${text(c.host)}: ${text(c.outcome)}${c.text ? `, ${text(c.text)}` : ''}`);
    return line;
  }
  const label = el('div', 'soft', 'captured; its label follows');
  o.keys.push({ key: text(c.key), label });
  if (!S.captures.has(c.key)) takeCapture(c);
  line.append(button(text(c.key), () => openDetails(S.captures.get(c.key)), 'link mono'), label);
  return line;
}

function followOrders() {
  for (const o of S.orders) {
    if (!o.keys.length) {
      const t = S.targets.find((x) => x.in_flight && Object.entries(o.what).every(([k, v]) => x[k] === v));
      if (!t) continue;
      const f = t.in_flight, began = time(f.start);
      setText(o.state, flightText(f));
      const share = f.state === 'publishing' ? 1
        : f.state === 'capturing' && began !== null && f.seconds ? (now() - began) / 1000 / f.seconds : 0;
      o.bar.style.width = `${Math.min(1, share) * 100}%`;
      continue;
    }
    o.keys = o.keys.filter(({ key, label }) => {
      const c = S.captures.get(key);
      if (!c || c.code === null) return true;
      setText(label, describe(c).slice(1).join(' · '));
      return false;
    });
    if (!o.keys.length || Date.now() > o.until) {
      for (const k of o.keys) setText(k.label, 'captured; no label');
      S.orders.delete(o);
    }
  }
}

let shownCapture = null;

const ns = (v) => latency(v / 1e9), percent = (v) => `${three(v * 100)} %`;
const FORMS = [[/_ns$/, ns], [/_share$/, percent], [/_bytes$/, size], [/_seconds$/, latency]];
const formatted = (name, v) => { const f = FORMS.find((x) => x[0].test(name)); return f ? f[1](v) : three(v); };
const named = (name) => name.replace(/_(ns|share|bytes|seconds)$/, (m) => (m === '_share' ? ' share' : '')).replace(/_/g, ' ');
const windowOf = (record) => {
  const spans = record.seconds === undefined ? '' : latency(record.seconds), asked = record.requested_seconds;
  return asked === undefined || asked === record.seconds ? spans : `${spans} of ${latency(asked)}`;
};
const dig = (o, path) => path.split('.').reduce((x, k) => (x && typeof x === 'object' ? x[k] : undefined), o);

function facts(pairs, more) {
  const dl = el('dl', `facts ${more || ''}`);
  for (const [k, v] of pairs) if (v !== undefined && v !== null && v !== '') dl.append(el('dt', '', k), el('dd', '', String(v)));
  return dl;
}

function section(title, ...children) { return el('section', '', el('h3', '', title), ...children); }

function command(line) {
  const b = button('Copy', async () => {
    try { await navigator.clipboard.writeText(line); b.textContent = 'Copied'; } catch { getSelection().selectAllChildren(code); }
  });
  const code = el('code', '', line);
  return el('div', 'command', code, b);
}

function chip(c) {
  const swatch = el('i', 'swatch');
  swatch.style.background = theme.labels[c.label];
  swatch.style.height = '14px';
  return el('span', 'chip', swatch, labelOf(c));
}

const fileName = (c) => c.key.replace(/\//g, '-');
const quoted = (s) => (/^[\w@%+=:,./-]+$/.test(s) ? s : `'${s.replace(/'/g, `'\\''`)}'`);

// A link serves while no token is needed; a link cannot carry one.
function download(c, suffix, name, title, className) {
  const a = el('a', `button ${className}`, title);
  a.href = keyPath(c.key, suffix);
  a.download = name;
  a.addEventListener('click', async (e) => {
    if (!S.token) return;
    e.preventDefault();
    try {
      const reply = await ask(a.getAttribute('href'), { timeout: 0 });
      if (!reply.ok) throw new Failure(reply.status, `${reply.status} ${reply.statusText}`);
      const url = URL.createObjectURL(await reply.blob()), save = el('a');
      save.href = url;
      save.download = name;
      save.click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
    } catch (err) { complain('No download', err); }
  });
  return a;
}

function openDetails(c) {
  const box = $('details');
  shownCapture = c;
  setHidden($('tip'), true);
  const list = c.history ? sorted(c.history) : [c], i = list.indexOf(c);
  const step = (to, name, sign) => {
    const b = button(sign, () => openDetails(list[to]));
    b.disabled = !list[to];
    b.setAttribute('aria-label', name);
    b.title = name;
    return b;
  };
  const title = el('h2', '', `${c.service} · ${c.host}`);
  title.id = 'details-title';
  const close = button('Close', () => box.close());
  const body = el('div', 'sheet soft', 'loading its record…');
  box.replaceChildren(el('div', 'sheet',
    el('div', 'sheet-top', el('div', '', title, el('div', 'soft', `${day(c.t)} ${new Date(c.t).getFullYear()}, ${clock(c.t)}`)),
      el('div', 'buttons', step(i - 1, 'The capture before', '←'), step(i + 1, 'The next capture', '→'), close)),
    el('div', '', chip(c), el('p', 'soft', LABELS[c.label][3])),
    el('div', 'buttons', download(c, '.trace', fileName(c), `Download the trace (${size(c.bytes)})`, 'main'),
      download(c, '.json', fileName(c).replace(/\.trace$/, '.json'), 'Record (JSON)', '')),
    el('div', '', command(`go tool trace ${quoted(fileName(c))}`), command(`contrace summary ${quoted(fileName(c))}`)), body));
  if (!box.open) box.showModal();
  close.focus();
  fillDetails(c, body);
}

async function fillDetails(c, body) {
  let record;
  try {
    record = await api(keyPath(c.key, '.json'));
  } catch (e) {
    const said = e.status === 404 ? 'This capture is gone: retention has deleted it meanwhile.' : e.message;
    if (shownCapture === c) body.replaceChildren(said);
    return;
  }
  if (shownCapture !== c) return;
  const s = record.summary, out = [], spool = S.status && S.status.spool;
  if (s && record.not_inspected)
    out.push(el('p', '', `No label: ${text(record.not_inspected)}. The numbers are those of ${share(record.covered)}.`));
  if (s && typeof s === 'object')
    out.push(section('Findings', ...findings(s, !record.not_inspected),
      el('p', 'soft', 'contrace summary names the call sites, and what to look at next.')), section('Numbers', numbers(s), el('br'), latencies(s)));
  else
    out.push(el('p', '', record.not_inspected ? `Not inspected: ${text(record.not_inspected)}.`
      : 'Not inspected yet, or inspection is off. contrace summary does it by hand.'));
  out.push(section('Record', facts([
    ['key', c.key], ['target', record.target], ['job', record.job], ['reason', record.reason], ['incident', record.incident],
    ['start', record.start], ['window', windowOf(record)],
    ['size', `${count(record.bytes)} bytes`], ['Go', record.go_version], ['pid', record.pid],
    ['label rests on', typeof record.covered === 'number' ? share(record.covered) : ''],
    ['whole', record.complete !== false ? 'yes' : dig(record, 'truncated.by') === 'short' ? 'no, it ended early' : `no, cut: ${text(dig(record, 'truncated.by'))}`],
    ['labels', Object.entries(record.labels || {}).map((e) => e.join('=')).join(', ')],
    ['kept in', c.state && spool ? `${text(spool.path)}/${c.state}/${c.key}` : ''],
    ['sha256', record.sha256]])));
  const all = el('details', '', el('summary', 'soft', 'The whole record'), el('pre', '', JSON.stringify(record, null, 2)));
  body.className = '';
  body.replaceChildren(...out.flatMap((x) => [x, el('br')]), all);
}

const share = (x) => (x === 1 ? 'all of the trace' : typeof x === 'number' ? `${percent(x)} of the trace` : 'a part of the trace');

// Notes alone are no finding; without a label nobody knows.
function findings(s, inspected) {
  const list = Array.isArray(s.findings) ? s.findings : [];
  const none = list.some((f) => f && number(f.score) > 0) ? [] : [el('p', 'soft', inspected ? 'No rule matched.' : 'None.')];
  return none.concat(list.map((f) => {
    const i = labelIndex(f.code), fill = el('i');
    fill.style.width = `${Math.min(1, number(f.score)) * 100}%`;
    fill.style.background = theme.labels[i];
    const evidence = Object.entries(f.evidence || {}).filter((e) => typeof e[1] === 'number');
    const note = f.score === 0, said = typeof f.subject === 'string' ? `“${text(f.subject)}”` : '';
    const score = el('span', 'soft', note ? `a note: ${said}` : `score ${number(f.score).toFixed(2)} of 1`);
    return el('div', 'finding', el('div', 'sheet-top', chip({ label: i, code: text(f.code) }), score),
      el('div', 'bar', fill), i === OTHER ? null : el('p', '', `${LABELS[i][3]}.`),
      facts(evidence.map(([k, v]) => [named(k), formatted(k, v)])));
  }));
}

function numbers(s) {
  const n = (path, form) => { const v = dig(s, path); return typeof v === 'number' ? form(v) : undefined; };
  return facts([
    ['window', n('window_ns', ns)], ['events', n('events.total', count)],
    ['GOMAXPROCS', n('procs.gomaxprocs.last', count)], ['Ps run goroutines', n('procs.executing_share', percent)],
    ['Ps idle', n('procs.idle_share', percent)], ['Ps used by the collector', n('procs.gc_share', percent)],
    ['goroutines, most alive', n('goroutines.max_alive', count)],
    ['goroutines created', n('goroutines.created', count)], ['runnable, mean', n('scheduler.runnable_mean', three)],
    ['GC cycles', n('gc.cycles', count)], ['GC assist', n('gc.assist.share', percent)],
    ['heap, most', n('gc.heap_max_bytes', size)], ['threads', n('threads.seen', count)],
    ['system calls', n('syscalls.count', count)]], 'double');
}

const TIMES = [['scheduler latency', 'scheduler.latency'], ['system calls', 'syscalls.times'], ['stop-the-world', 'gc.stw']];
const QUANTILES = ['p50_ns', 'p99_ns', 'p999_ns', 'max_ns'];

function latencies(s) {
  const table = el('table', 'numbers');
  const cells = (tag, list) => el('tr', '', ...list.map((x, i) => el(i ? tag : 'th', '', x)));
  table.append(cells('th', ['', 'count', 'p50', 'p99', 'p99.9', 'max']));
  for (const [name, path] of TIMES) {
    const l = dig(s, path);
    if (l && l.count) table.append(cells('td', [name, count(l.count), ...QUANTILES.map((k) => ns(number(l[k])))]));
  }
  return table.rows.length > 1 ? table : '';
}

$('details').addEventListener('close', () => { shownCapture = null; });
$('details').addEventListener('click', (e) => { if (e.target === $('details')) $('details').close(); });
$('details').addEventListener('keydown', (e) => {
  if (!shownCapture || !shownCapture.history || !['ArrowLeft', 'ArrowRight'].includes(e.key) || e.target.closest('pre')) return;
  const list = sorted(shownCapture.history), to = list[list.indexOf(shownCapture) + (e.key === 'ArrowLeft' ? -1 : 1)];
  if (to) openDetails(to);
});

function readChoices() {
  const h = new URLSearchParams(location.hash.slice(1));
  if (RANGES.some((r) => r[0] === h.get('range'))) S.range = h.get('range');
  if (Object.keys(ORDERS).includes(h.get('sort'))) S.sort = h.get('sort');
  S.filter = h.get('filter') || '';
  $('filter').value = S.filter;
  $('sort').value = S.sort;
}

function keepChoices() {
  const h = new URLSearchParams();
  if (S.range !== '24h') h.set('range', S.range);
  if (S.sort !== 'worst') h.set('sort', S.sort);
  if (S.filter) h.set('filter', S.filter);
  window.history.replaceState(null, '', h.toString() ? `#${h}` : location.pathname);
}

function chosen() { forceOrder = true; keepChoices(); refresh(); }

function chooseRange(name) {
  S.range = name;
  S.complete = rangeStart() >= S.floor;
  chosen();
  tick();
}

for (const [name] of RANGES) $('ranges').append(button(name, () => chooseRange(name)));
$('filter').addEventListener('input', () => { S.filter = $('filter').value; chosen(); });
$('sort').addEventListener('change', () => { S.sort = $('sort').value; chosen(); });
$('rows').addEventListener('pointerenter', () => { pointerOnRows = true; });
$('rows').addEventListener('pointerleave', () => { pointerOnRows = false; });
addEventListener('scroll', () => showRows(false), { passive: true });
addEventListener('resize', readLayout);
addEventListener('hashchange', () => { readChoices(); refresh(); tick(); });
dark.addEventListener('change', readLayout);
addEventListener('keydown', (e) => {
  if (e.key !== '/' || /INPUT|SELECT/.test(document.activeElement.tagName) || $('details').open) return;
  e.preventDefault();
  $('filter').focus();
});
setInterval(() => {
  if (document.visibilityState === 'hidden' || !S.status) return;
  followOrders();
  showHead();
  showBanners();
  showRows(false);
}, 1000);

readChoices();
readLayout();
tick();
})();
