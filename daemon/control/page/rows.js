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

// What can be plotted below the marks. Both are written in logarithms.
const PLOTS = {
  p99: { head: 'p99', said: 'the 99th percentile of scheduler latency', of: (c) => (c.p99 > 0 ? c.p99 : null), form: latency },
  lost: {
    head: 'lost', said: 'what its label rests on: seconds that goroutines lost to it in each second',
    of: (c) => (typeof c.severity === 'number' ? c.severity : null), form: (v) => `${three(v)} s/s`,
  },
};

// Incidents, and rules that fired: by what is kept of them, and by what contraced knows since its start.
function eventsOf(r, start) {
  const found = new Map(), fired = [];
  const list = r.history ? r.history.captures : [];
  for (let i = r.from; i < list.length; i++)
    if (list[i].incident && !found.has(list[i].incident)) found.set(list[i].incident, { t: list[i].t, incident: list[i].incident, said: 'incident' });
  for (const e of S.incidents) {
    const t = time(e.start);
    if (t !== null && e.service === r.service && e.host === r.host) found.set(text(e.incident) || `at ${t}`, { t, incident: text(e.incident), said: `incident: ${whyOf(e)}` });
  }
  for (const e of S.rules.list) {
    const t = time(e.fired);
    if (t !== null && !found.has(e.incident) && r.target && e.target === r.target.target) fired.push({ t, incident: '', said: `rule ${text(e.rule)} fired: ${text(e.text)}` });
  }
  return [...found.values(), ...fired].filter((e) => e.t >= start).sort((a, b) => a.t - b.t);
}

function measure(r, start) {
  const list = r.history ? sorted(r.history) : [];
  r.from = firstAt(list, start);
  r.counts = new Array(LABELS.length).fill(0);
  for (let i = r.from; i < list.length; i++) r.counts[list[i].label]++;
  r.last = list.length ? list[list.length - 1] : null;
  r.events = eventsOf(r, start);
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
      const v = PLOTS[S.plot].of(list[i]);
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
