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
