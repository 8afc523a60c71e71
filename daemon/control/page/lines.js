let theme = {}, width = 0, rowHeight = 72, gutter = 48, canvasHeight = 62;
const STRIP = 16;
const dark = matchMedia('(prefers-color-scheme: dark)');

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['text', 'soft', 'grid', 'accent', 'track', 'line', 'bad', 'wait', 'warn']) theme[name] = style.getPropertyValue(`--${name}`).trim();
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
const yOf = (v) => {
  const [a, b] = S.decades, top = STRIP + 6, bottom = canvasHeight - 5;
  return v > 0 ? bottom - Math.min(1, Math.max(0, (Math.log10(v) - a) / (b - a))) * (bottom - top) : bottom;
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
  g.fillText(PLOTS[S.plot].head, 2, 15);
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
    g.fillText(PLOTS[S.plot].form(10 ** d), gutter - 6, Math.min(y, canvasHeight - 6));
  }
}

// Where several captures fall into one column the worst is drawn last; of latencies the highest counts.
function columns(r) {
  const list = r.history.captures, marks = new Map(), points = new Map(), plotted = PLOTS[S.plot].of;
  const worth = (c) => (S.picked.has(c.label) ? 100 : 0) + (isIll(c.label) ? 50 - c.label : c.label === HEALTHY ? 2 : 1);
  for (let i = r.from; i < list.length; i++) {
    const c = list[i], x = Math.round(xOf(c.t));
    const m = marks.get(x);
    if (!m || worth(c) >= worth(m)) marks.set(x, c);
    const v = plotted(c), p = points.get(x);
    if (v !== null && (!p || plotted(p) < v)) points.set(x, c);
  }
  return { marks: [...marks].sort((a, b) => worth(a[1]) - worth(b[1])), points: [...points].sort((a, b) => a[0] - b[0]) };
}

function drawRow(r) {
  const g = paper(r.view.canvas, canvasHeight);
  drawGrid(g);
  if (!r.history || r.from >= r.history.captures.length) { drawNothing(g, r); return; }
  const { marks, points } = columns(r), y = (c) => yOf(PLOTS[S.plot].of(c));
  drawEvents(g, r);
  const thick = marks.length > plotWidth() / 5 ? 2 : 3;
  g.fillStyle = theme.track;
  g.fillRect(gutter, STRIP - 1, plotWidth() + 4, 1);
  for (const [x, c] of marks) {
    const h = markHeight(c.label);
    g.globalAlpha = S.picked.size && !S.picked.has(c.label) ? .18 : 1;
    g.fillStyle = theme.labels[c.label];
    if (c.label === NONE || c.label === UNINSPECTED) g.fillRect(x - 1, STRIP - h, thick, 2);
    else g.fillRect(x - 1, STRIP - 1 - h, thick, h);
  }
  g.globalAlpha = 1;
  g.strokeStyle = theme.soft;
  g.globalAlpha = .6;
  g.lineWidth = 1.25;
  g.beginPath();
  points.forEach(([x, c], i) => { if (i) g.lineTo(x, y(c)); else g.moveTo(x, y(c)); });
  g.stroke();
  const dot = points.length > plotWidth() / 4 ? 2 : 3;
  for (const [x, c] of points) {
    if (dot === 2 && !isIll(c.label)) continue;
    g.globalAlpha = S.picked.size && !S.picked.has(c.label) ? .18 : 1;
    g.fillStyle = theme.labels[c.label];
    g.fillRect(x - dot / 2, y(c) - dot / 2, dot, dot);
  }
  g.globalAlpha = 1;
  if (r.hover >= r.from && r.hover < r.history.captures.length) drawHover(g, r.history.captures[r.hover]);
}

// A flag where an incident or a rule began, and a line down through the plot.
function drawEvents(g, r) {
  for (const e of r.events) {
    const x = Math.round(xOf(e.t));
    g.fillStyle = e.incident ? theme.accent : theme.warn;
    g.globalAlpha = .55;
    g.fillRect(x, 0, 1, canvasHeight);
    g.globalAlpha = 1;
    g.beginPath();
    g.moveTo(x, 0);
    g.lineTo(x + 7, 3);
    g.lineTo(x, 6);
    g.fill();
  }
}

function drawHover(g, c) {
  const x = Math.round(xOf(c.t));
  g.strokeStyle = theme.accent;
  g.lineWidth = 2;
  g.strokeRect(x - 4, 0.5, 8, STRIP);
  const v = PLOTS[S.plot].of(c);
  if (v !== null) { g.beginPath(); g.arc(x, yOf(v), 5, 0, 7); g.stroke(); }
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
