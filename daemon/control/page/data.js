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
  range: '24h', chosenRange: false, filter: '', sort: 'worst', plot: 'p99', picked: new Set(),
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
  if (c.severity !== undefined) known.severity = typeof c.severity === 'number' ? c.severity : null;
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

// The first range is the shortest that has all that is kept, up to a day.
function fitRange() {
  const oldest = S.status && S.status.spool && time(S.status.spool.oldest);
  if (S.chosenRange || !oldest) return;
  S.chosenRange = true;
  S.range = (RANGES.find((r) => r[1] >= now() - oldest && r[1] <= 86400e3) || ['24h'])[0];
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
