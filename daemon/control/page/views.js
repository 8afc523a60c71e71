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
const lostText = (c) => (c.severity > 0 ? [`lost ${PLOTS.lost.form(c.severity)}`] : []);
const describe = (c) => [moment(c.t), labelOf(c), p99Text(c), ...lostText(c), size(c.bytes), ...(c.incident ? ['of an incident'] : [])];

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

function eventNear(r, x) {
  return r.events.filter((e) => Math.abs(xOf(e.t) + 2 - x) < 7).sort((a, b) => Math.abs(xOf(a.t) - x) - Math.abs(xOf(b.t) - x))[0] || null;
}

function placeTip(r, t) {
  const box = r.view.canvas.getBoundingClientRect(), tip = $('tip');
  const w = tip.offsetWidth, h = tip.offsetHeight;
  const x = Math.min(Math.max(8, box.left + xOf(t) - w / 2), innerWidth - w - 8);
  const y = box.top - h - 6 < 8 ? box.bottom + 6 : box.top - h - 6;
  tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}

function point(r, i, showTip, event) {
  if (!r.view) return;
  r.hover = i;
  r.event = event || null;
  drawRow(r);
  const c = i >= 0 && r.history ? r.history.captures[i] : null;
  setHidden($('tip'), !(c || event) || !showTip);
  if (!(c || event) || !showTip) return;
  const [when, label, ...rest] = c ? describe(c) : [moment(event.t), ''];
  const what = c ? [el('b', '', label), `${when} · ${rest.join(' · ')}`] : [];
  $('tip').replaceChildren(...what, ...(event ? [el('div', '', `${moment(event.t)}: ${event.said}`)] : []));
  placeTip(r, c ? c.t : event.t);
  if (!c) return;
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
    const event = eventNear(r, at(e));
    if (i !== r.hover || event !== (r.event || null)) point(r, i, true, event);
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
