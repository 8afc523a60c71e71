// The time line of one trace: what its Ps did, who waited for them, the collector, and the slowest as marks.
const LANES = { marks: [0, 20], run: [26, 54], wait: [88, 34], gc: [130, 9], axis: 144, height: 160 };
const LANE_GUTTER = 62;

// `m` holds one time line: its lines, the marks, and what of these is pointed at.
function momentsView(t) {
  const m = { lines: t.lines.filter((l) => number(l.duration_ns) > 0), from: number(t.since_ns), to: number(t.until_ns), marks: [], at: -1, chosen: null };
  m.procs = Math.max(1, ...m.lines.map((l) => number(l.procs)));
  m.most = Math.max(1, ...m.lines.map((l) => number(l.runnable_most)));
  m.canvas = el('canvas', 'moments');
  m.canvas.tabIndex = 0;
  m.canvas.setAttribute('role', 'slider');
  m.canvas.setAttribute('aria-label', 'Moments of the trace');
  m.canvas.setAttribute('aria-valuemin', '0');
  m.canvas.setAttribute('aria-valuemax', String(Math.max(0, m.lines.length - 1)));
  m.readout = el('p', 'readout soft');
  m.el = el('div', '', m.canvas, m.readout, momentsKey(m));
  listenMoments(m);
  new ResizeObserver(() => drawMoments(m)).observe(m.canvas);
  pointMoment(m, -1);
  return m;
}

// What the colours mean, of those that are there.
function momentsKey(m) {
  const some = (name) => m.lines.some((l) => number(l[name]) > 0), gc = theme.labels[CODES.indexOf('gc-pressure')];
  const list = [['run on a P', theme.accent, 1, true], ['runnable; pale: at most', theme.wait, 1, true], ['collector marks', gc, 1, some('mark_ns')],
    ['world stopped', theme.bad, 1, some('stw_ns')], ['frozen: nothing ran', theme.bad, .3, some('frozen_ns')]];
  return el('div', 'key', ...list.filter((e) => e[3]).map(([name, colour, alpha]) => {
    const i = el('i');
    i.style.background = colour;
    i.style.opacity = String(alpha);
    return el('span', '', i, name);
  }));
}

const momentWidth = (m) => Math.max(1, m.canvas.clientWidth - LANE_GUTTER - 8);
const momentX = (m, ns) => LANE_GUTTER + (ns - m.from) / Math.max(1, m.to - m.from) * momentWidth(m);

// Marks lie in as many rows as the strip has; where all are taken, one hides another.
function placeMarks(m, list) {
  const ends = [-1, -1, -1];
  m.marks = list.slice().sort((a, b) => a.at - b.at).map((o) => {
    const x = momentX(m, o.at), w = Math.max(5, momentX(m, o.at + o.ns) - x);
    let row = ends.findIndex((end) => end < x - 1);
    if (row < 0) row = 2;
    ends[row] = x + w;
    return { o, x, w, row };
  });
}

function drawMoments(m) {
  const css = m.canvas.clientWidth;
  if (!css) return;
  const scale = window.devicePixelRatio || 1, w = Math.round(css * scale), h = Math.round(LANES.height * scale);
  if (m.canvas.width !== w || m.canvas.height !== h) { m.canvas.width = w; m.canvas.height = h; }
  const g = m.canvas.getContext('2d');
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, css, LANES.height);
  g.font = theme.font;
  drawMomentAxis(g, m);
  drawChosen(g, m);
  drawLane(g, m, LANES.run, m.procs, theme.accent, (l) => number(l.running_ns) / l.duration_ns);
  drawLane(g, m, LANES.wait, m.most, theme.wait, (l) => number(l.runnable_ns) / l.duration_ns, (l) => number(l.runnable_most));
  drawCollector(g, m);
  placeMarks(m, m.slowest || []);
  drawMarks(g, m);
  if (m.at >= 0) {
    g.fillStyle = theme.text;
    g.fillRect(Math.round(momentX(m, m.lines[m.at].at_ns + m.lines[m.at].duration_ns / 2)), LANES.run[0], 1, LANES.axis - LANES.run[0]);
  }
}

function drawMomentAxis(g, m) {
  const span_ns = m.to - m.from, steps = [1, 2, 5].flatMap((x) => [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10].map((e) => x * e)).sort((a, b) => a - b);
  const step = steps.find((s) => span_ns / s <= Math.max(2, momentWidth(m) / 70)) || span_ns;
  g.textBaseline = 'top';
  for (let ns = Math.ceil(m.from / step) * step; ns <= m.to; ns += step) {
    const x = Math.round(momentX(m, ns));
    g.fillStyle = theme.grid;
    g.fillRect(x, LANES.run[0], 1, LANES.axis - LANES.run[0] - 2);
    g.fillStyle = theme.soft;
    g.textAlign = x > m.canvas.clientWidth - 24 ? 'right' : 'center';
    g.fillText(ns === 0 ? '0' : latency(ns / 1e9), x, LANES.axis + 2);
  }
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  g.fillStyle = theme.soft;
  const name = (lane, said, most) => {
    g.fillText(said, LANE_GUTTER - 8, lane[0] + lane[1] / 2 + (most ? 5 : 0));
    if (most) g.fillText(most, LANE_GUTTER - 8, lane[0] + 5);
  };
  name(LANES.marks, 'slowest');
  name(LANES.run, 'running', `${count(m.procs)} ${m.procs === 1 ? 'P' : 'Ps'}`);
  name(LANES.wait, 'runnable', count(m.most));
  name(LANES.gc, 'GC');
}

// A level for each line, out of `most`; `peak` as a thin line above it.
function drawLane(g, m, [top, height], most, colour, level, peak) {
  const bottom = top + height, y = (v) => bottom - Math.min(1, v / most) * height;
  g.fillStyle = theme.track;
  g.globalAlpha = .45;
  g.fillRect(LANE_GUTTER, top, momentWidth(m), height);
  g.globalAlpha = 1;
  for (const l of m.lines) {
    const x = momentX(m, l.at_ns), w = momentX(m, l.at_ns + l.duration_ns) - x;
    g.fillStyle = colour;
    g.fillRect(x, y(level(l)), w + .4, bottom - y(level(l)));
    if (peak) { g.globalAlpha = .3; g.fillRect(x, y(peak(l)), w + .4, bottom - y(peak(l))); g.globalAlpha = 1; }
    if (number(l.frozen_ns) > 0) {
      g.globalAlpha = .3 * Math.min(1, l.frozen_ns / l.duration_ns);
      g.fillStyle = theme.bad;
      g.fillRect(x, top, w + .4, height);
      g.globalAlpha = 1;
    }
  }
  g.fillStyle = theme.line;
  g.fillRect(LANE_GUTTER, bottom, momentWidth(m), 1);
}

function drawCollector(g, m) {
  const [top, height] = LANES.gc;
  g.fillStyle = theme.track;
  g.globalAlpha = .45;
  g.fillRect(LANE_GUTTER, top, momentWidth(m), height);
  for (const l of m.lines) {
    const x = momentX(m, l.at_ns), w = momentX(m, l.at_ns + l.duration_ns) - x;
    g.fillStyle = theme.labels[CODES.indexOf('gc-pressure')];
    g.globalAlpha = Math.min(1, number(l.mark_ns) / l.duration_ns);
    if (l.mark_ns) g.fillRect(x, top, w + .4, height);
    g.globalAlpha = 1;
    g.fillStyle = theme.bad;
    if (l.stw_ns) g.fillRect(x, top + height - 3, Math.max(2, w * Math.min(1, l.stw_ns / l.duration_ns)), 3);
  }
  g.globalAlpha = 1;
}

function drawMarks(g, m) {
  for (const k of m.marks) {
    g.fillStyle = k.o === m.chosen ? theme.accent : theme.soft;
    g.fillRect(k.x, LANES.marks[0] + 1 + k.row * 7, k.w, 5);
  }
}

function drawChosen(g, m) {
  if (!m.chosen) return;
  const x = momentX(m, m.chosen.at), w = Math.max(2, momentX(m, m.chosen.at + m.chosen.ns) - x);
  g.fillStyle = theme.accent;
  g.globalAlpha = .16;
  g.fillRect(x, 0, w, LANES.axis - 2);
  g.globalAlpha = 1;
}

const BLOCKED = [['channel', 'channels'], ['sync', 'locks'], ['network', 'network'], ['sleep', 'sleep']];

function momentText(l, procs) {
  const mean = (v) => three(number(v) / l.duration_ns), said = [`${latency(l.at_ns / 1e9)}: ${mean(l.running_ns)} of ${count(l.procs === null ? procs : l.procs)} Ps run`];
  said.push(`${mean(l.runnable_ns)} runnable${l.runnable_most > 1 ? `, at most ${count(l.runnable_most)}` : ''}`);
  if (l.syscall_ns / l.duration_ns >= .05) said.push(`${mean(l.syscall_ns)} in system calls`);
  for (const [key, name] of BLOCKED) if (l.blocked_ns && l.blocked_ns[key] / l.duration_ns >= .05) said.push(`${name} ${mean(l.blocked_ns[key])}`);
  if (l.mark_ns) said.push(`GC marks ${percent(l.mark_ns / l.duration_ns)}`);
  if (l.stw_ns) said.push(`world stopped ${ns(l.stw_ns)}`);
  if (l.frozen_ns) said.push(`frozen ${ns(l.frozen_ns)}`);
  if (typeof l.heap_bytes === 'number') said.push(`heap ${size(l.heap_bytes)}`);
  return said.join(' · ');
}

function pointMoment(m, i) {
  m.at = i;
  const said = i >= 0 ? momentText(m.lines[i], m.procs) : m.chosen ? m.chosen.said
    : `${plural(m.lines.length, 'line')} of ${m.lines.length ? ns(m.lines[0].duration_ns) : '0'}: point at one, or use the arrow keys.`;
  setText(m.readout, said);
  m.canvas.setAttribute('aria-valuenow', String(Math.max(0, i)));
  m.canvas.setAttribute('aria-valuetext', said);
  drawMoments(m);
}

function chooseSlow(m, o) {
  m.chosen = m.chosen === o ? null : o;
  pointMoment(m, -1);
  if (m.told) m.told();
}

function listenMoments(m) {
  const place = (e) => { const box = m.canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  const lineAt = (x) => {
    if (x < LANE_GUTTER - 4 || !m.lines.length) return -1;
    const at = m.from + (x - LANE_GUTTER) / momentWidth(m) * (m.to - m.from);
    const i = m.lines.findIndex((l) => at < l.at_ns + l.duration_ns);
    return i < 0 ? m.lines.length - 1 : i;
  };
  const markAt = (x, y) => m.marks.filter((k) => x >= k.x - 4 && x <= k.x + k.w + 4 && Math.abs(y - (LANES.marks[0] + 3 + k.row * 7)) <= 5)
    .sort((a, b) => a.w - b.w)[0];
  m.canvas.addEventListener('pointermove', (e) => {
    const [x, y] = place(e), mark = y < LANES.run[0] - 2 ? markAt(x, y) : null;
    m.canvas.classList.toggle('mark', Boolean(mark));
    if (mark) { pointMoment(m, -1); setText(m.readout, mark.o.said); } else pointMoment(m, lineAt(x));
  });
  m.canvas.addEventListener('pointerleave', () => pointMoment(m, -1));
  m.canvas.addEventListener('blur', () => pointMoment(m, -1));
  m.canvas.addEventListener('click', (e) => { const [x, y] = place(e), mark = markAt(x, y); if (mark) chooseSlow(m, mark.o); });
  m.canvas.addEventListener('keydown', (e) => {
    const n = m.lines.length, i = m.at < 0 ? -1 : m.at;
    if (!n || e.ctrlKey || e.altKey || e.metaKey) return;
    const to = {
      ArrowLeft: i < 0 ? n - 1 : i - 1, ArrowDown: i < 0 ? n - 1 : i - 1, ArrowRight: i + 1, ArrowUp: i + 1,
      PageDown: i - 10, PageUp: i + 10, Home: 0, End: n - 1,
    }[e.key];
    if (to === undefined) return;
    pointMoment(m, Math.min(n - 1, Math.max(0, to)));
    e.preventDefault();
    e.stopPropagation();
  });
}

// Fills the section when contraced has made the time line.
async function showMoments(c, box, slowest, told) {
  let t;
  try {
    t = await api(viewPath(c, 'timeline'), { timeout: 0 });
  } catch (e) {
    if (shownCapture === c) box.replaceChildren(el('p', 'soft', `No time line: ${e.message}`));
    return null;
  }
  if (shownCapture !== c) return null;
  if (!Array.isArray(t.lines) || !t.lines.length) {
    box.replaceChildren(el('p', 'soft', `No time line: ${t.error && t.error.text ? text(t.error.text) : 'the trace has no events'}`));
    return null;
  }
  const m = momentsView(t);
  m.slowest = slowest;
  m.told = () => told(m);
  box.replaceChildren(m.el);
  if (t.complete === false && t.error) box.append(el('p', 'soft', `The trace breaks off: ${text(t.error.text)}`));
  drawMoments(m);
  return m;
}
