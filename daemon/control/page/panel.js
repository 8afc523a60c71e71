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

// What can be had of this capture, as files or in other tools.
function takeaways(c) {
  const pprof = [['sched', 'waiting for a P'], ['sync', 'waiting for locks and channels'], ['net', 'waiting for the network'], ['syscall', 'in system calls']];
  return el('div', '', el('div', 'buttons', perfettoButton(c), download(c, '.trace', fileName(c), `Trace, ${size(c.bytes)}`, 'main'),
    viewButton(c, 'perfetto', '.pftrace', 'Perfetto file', 'The same for Perfetto, as a file'),
    download(c, '.json', fileName(c, '.json'), 'Record', '')),
  el('div', 'buttons small', el('span', 'soft', 'pprof:'),
    ...pprof.map(([view, said]) => viewButton(c, view, `.${view}.pb.gz`, view, `Goroutines ${said}, for go tool pprof`))));
}

function steps(c) {
  const list = c.history ? sorted(c.history) : [c], i = list.indexOf(c);
  return [[i - 1, 'The capture before', '←'], [i + 1, 'The next capture', '→']].map(([to, name, sign]) => {
    const b = button(sign, () => openDetails(list[to]));
    b.disabled = !list[to];
    b.setAttribute('aria-label', name);
    b.title = name;
    return b;
  });
}

// Whoever complains does so in front of the panel while it is open.
function openDetails(c) {
  const box = $('details'), title = el('h2', '', `${c.service} · ${c.host}`), body = el('div', 'sheet-body soft', 'loading its record…');
  const close = button('Close', () => box.close());
  shownCapture = c;
  setHidden($('tip'), true);
  title.id = 'details-title';
  box.replaceChildren(el('div', 'sheet',
    el('div', 'sheet-top', el('div', '', title, el('div', 'soft', `${day(c.t)} ${new Date(c.t).getFullYear()}, ${clock(c.t)}`)),
      el('div', 'buttons', ...steps(c), close)),
    el('div', '', chip(c), el('p', 'soft', LABELS[c.label][3])), takeaways(c), body), $('notes'));
  if (!box.open) box.showModal();
  box.scrollTop = 0;
  close.focus();
  fillDetails(c, body);
}

// The list tells which one is chosen, and so does the time line.
function slowestSection(slowest, m) {
  const rows_ = slowest.map((o) => slowRow(o, (x) => { if (m()) { chooseSlow(m(), x); m().canvas.scrollIntoView({ block: 'nearest' }); } }));
  return section('Slowest', el('ol', 'slowest', ...rows_));
}

function toldChoice(m, slowest) {
  for (const o of slowest) o.button.setAttribute('aria-pressed', String(m.chosen === o));
  if (m.chosen) m.chosen.button.scrollIntoView({ block: 'nearest' });
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
  const s = record.summary && typeof record.summary === 'object' ? record.summary : null;
  const wait = () => el('div', 'soft', 'a moment…'), line = wait(), usual = wait(), incident = wait();
  const slowest = s ? slowestOf(s) : [], out = [];
  let moments = null;
  if (s && record.not_inspected)
    out.push(el('p', '', `No label: ${text(record.not_inspected)}. The numbers are those of ${share(record.covered)}.`));
  if (!s)
    out.push(el('p', '', record.not_inspected ? `Not inspected: ${text(record.not_inspected)}.`
      : 'Not inspected yet, or inspection is off. contrace summary does it by hand.'));
  if (s) out.push(section('Findings', ...findings(s, !record.not_inspected)));
  out.push(section('What happened when', line));
  if (slowest.length) out.push(slowestSection(slowest, () => moments));
  if (s) out.push(section('Different from usual', usual));
  if (record.incident || c.incident) out.push(section('Incident', incident));
  if (s) out.push(section('Numbers', numbers(s), latencies(s)));
  out.push(section('By hand', command(`contrace explain ${quoted(fileName(c))}`), command(`go tool trace ${quoted(fileName(c))}`)));
  out.push(section('Record', recordFacts(c, record)));
  out.push(el('details', '', el('summary', 'soft', 'The whole record'), el('pre', '', JSON.stringify(record, null, 2))));
  setClass(body, 'sheet-body');
  body.replaceChildren(...out);
  if (record.incident || c.incident) showIncident(c, record, incident);
  moments = await showMoments(c, line, slowest, (m) => toldChoice(m, slowest));
  if (s && shownCapture === c) showUsual(c, record, usual);
}

function recordFacts(c, record) {
  const spool = S.status && S.status.spool;
  return facts([
    ['key', c.key], ['target', record.target], ['job', record.job], ['reason', record.reason], ['incident', record.incident],
    ['start', record.start], ['window', windowOf(record)],
    ['size', `${count(record.bytes)} bytes`], ['Go', record.go_version], ['pid', record.pid],
    ['label rests on', typeof record.covered === 'number' ? share(record.covered) : ''],
    ['whole', record.complete !== false ? 'yes' : dig(record, 'truncated.by') === 'short' ? 'no, it ended early' : `no, cut: ${text(dig(record, 'truncated.by'))}`],
    ['labels', Object.entries(record.labels || {}).map((e) => e.join('=')).join(', ')],
    ['kept in', c.state && spool ? `${text(spool.path)}/${c.state}/${c.key}` : ''],
    ['sha256', record.sha256]]);
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
      facts(evidence.map(([k, v]) => [named(k), formatted(k, v)]), 'double'));
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

$('details').addEventListener('close', () => { shownCapture = null; document.body.append($('notes')); });
$('details').addEventListener('click', (e) => { if (e.target === $('details')) $('details').close(); });
$('details').addEventListener('keydown', (e) => {
  if (!shownCapture || !shownCapture.history || !['ArrowLeft', 'ArrowRight'].includes(e.key) || e.target.closest('pre, .moments')) return;
  const list = sorted(shownCapture.history), to = list[list.indexOf(shownCapture) + (e.key === 'ArrowLeft' ? -1 : 1)];
  if (to) openDetails(to);
});
