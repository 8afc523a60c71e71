// What is usual of a target: the same numbers and rules as those of `contrace explain`.
const MS = 1e6;
const USUAL = [ // path, words, form, of each second of the window, 0 if its list is short or gone, noise
  ['scheduler.latency.p99_ns', 'wait for a P, 99th percentile', 'duration', false, false, MS / 4],
  ['scheduler.overdue_ns', 'time with a wait for a P over 10 us', 'share', true, false, 0.05],
  ['scheduler.runnable_mean', 'goroutines that queue for a P', 'count', false, false, 0.5],
  ['outliers.waits.lock.0.duration_ns', 'longest wait for a lock', 'duration', false, true, MS],
  ['outliers.waits.call.0.duration_ns', 'longest wait for an answer', 'duration', false, true, 5 * MS],
  ['outliers.waits.request.0.duration_ns', 'longest wait in a request', 'duration', false, true, 5 * MS],
  ['outliers.tasks.0.duration_ns', 'slowest task', 'duration', false, true, 5 * MS],
  ['procs.executing_share', 'Ps in use', 'share', false, false, 0.05],
  ['procs.gc_share', 'Ps used by the collector', 'share', false, false, 0.02],
  ['gc.assist.share', 'running time that is mark assist', 'share', false, false, 0.02],
  ['gc.stw.max_ns', 'longest stop-the-world pause', 'duration', false, false, 2 * MS],
  ['gc.cycles', 'collections', 'rate', true, false, 1],
  ['gc.heap_max_bytes', 'heap', 'bytes', false, false, 16e6],
  ['goroutines.max_alive', 'goroutines', 'count', false, false, 20],
  ['goroutines.created', 'goroutines created', 'rate', true, false, 100],
  ['syscalls.count', 'system calls', 'rate', true, false, 500],
  ['syscalls.times.p99_ns', 'system call, 99th percentile', 'duration', false, false, MS],
  ['syscalls.longest_active.duration_ns', 'longest system call', 'duration', false, false, 10 * MS],
  ['longest_run.duration_ns', 'longest run without a pause', 'duration', false, false, 10 * MS],
  ['silences.total_ns', 'time without a sign of life', 'share', true, false, 0.05],
  ['threads.seen', 'threads', 'count', false, false, 8],
  ['events.total', 'scheduling events', 'rate', true, false, 1000],
  ['context.cgroup.cpu.throttled_ns', 'CPUs lost to the quota', 'count', true, false, 0.05],
  ['context.process.rss_bytes', 'memory of the process', 'bytes', false, false, 32e6],
];
const USUAL_MOST = 20, USUAL_MOVES = 5, USUAL_ENOUGH = 5, USUAL_LOOK = 100, USUAL_AT_ONCE = 4;
const USUAL_FORMS = { duration: ns2 => ns(ns2), share: (v) => percent(v), bytes: size, count: three, rate: (v) => `${three(v)}/s` };

function usualNumber(summary, [path, , form, each, zero]) {
  const value = dig(summary, path), window_ns = number(summary.window_ns);
  if (typeof value !== 'number') return zero && summary.outliers && typeof summary.outliers === 'object' ? 0 : NaN;
  if (value < 0) return NaN;
  if (!each) return value;
  return window_ns > 0 ? value / window_ns * (form === 'rate' ? 1e9 : 1) : NaN;
}

// A record's summary, with what the host knew at the place where the table looks for it.
const summaryOf = (record) => ({ context: record.context, ...record.summary });

function usualMoves(now_, earlier) {
  const found = [];
  for (const row of USUAL) {
    const value = usualNumber(now_, row), list = earlier.map((s) => usualNumber(s, row)).filter((v) => !Number.isNaN(v)).sort((a, b) => a - b);
    const n = list.length, quarter = Math.floor((n - 1) / 4), noise = row[5];
    if (!n || Number.isNaN(value)) continue;
    const usual = list[Math.floor((n - 1) / 2)];
    if (value >= list[quarter] && value <= list[n - 1 - quarter]) continue;
    const times = (Math.max(usual, value) + noise) / (Math.min(usual, value) + noise);
    if (times >= 2) found.push({ row, usual, value, times });
  }
  return found.sort((a, b) => b.times - a.times).slice(0, USUAL_MOVES);
}

const labelled = (c) => typeof c.label === 'string' && c.label !== 'not-inspected';

// The keys to compare with: those of the host if they are enough, else those of all hosts.
async function usualKeys(c) {
  const artifact = isTrace(c.key) ? 'trace' : 'flight';
  const ask_ = async (more) => {
    const page = await api('/api/v1/captures' + query({ service: c.service, ...more, artifact, before: c.key, limit: USUAL_LOOK }));
    return (Array.isArray(page.captures) ? page.captures : []).filter(labelled).slice(0, USUAL_MOST);
  };
  const own = await ask_({ host: c.host });
  return own.length >= USUAL_ENOUGH ? { list: own, of: `of ${c.host}` } : { list: await ask_({}), of: 'of all hosts' };
}

async function earlierSummaries(c, list) {
  const found = [], todo = list.slice();
  const work = async () => {
    for (let e = todo.shift(); e && shownCapture === c; e = todo.shift()) {
      try {
        const record = await api(keyPath(text(e.key), '.json'));
        if (record.summary && typeof record.summary === 'object') found.push(summaryOf(record));
      } catch (err) { if (err.status !== 404) throw err; } // deleted meanwhile
    }
  };
  await Promise.all(Array.from({ length: USUAL_AT_ONCE }, work));
  return found;
}

function usualTable(moves) {
  const table = el('table', 'numbers');
  const line = (tag, list) => el('tr', '', ...list.map((x, i) => { const cell = el(i ? tag : 'th', '', x); if (!i || tag === 'th') cell.scope = i ? 'col' : tag === 'th' ? 'col' : 'row'; return cell; }));
  table.append(el('thead', '', line('th', ['number', 'usual', 'here', 'times'])), el('tbody', '', ...moves.map(({ row, usual, value, times }) => {
    const form = USUAL_FORMS[row[2]];
    return line('td', [row[1], form(usual), form(value), `${value > usual ? '↑' : '↓'} ${three(times)}`]);
  })));
  return table;
}

async function showUsual(c, record, box) {
  try {
    const { list, of } = await usualKeys(c);
    const earlier = await earlierSummaries(c, list);
    if (shownCapture !== c) return;
    if (!earlier.length) { box.replaceChildren(el('p', 'soft', 'Nothing to compare with: no earlier capture of this target has a label.')); return; }
    const labels = new Map();
    for (const e of list) labels.set(e.label, (labels.get(e.label) || 0) + 1);
    const most = [...labels].sort((a, b) => b[1] - a[1])[0];
    const moves = usualMoves(summaryOf(record), earlier);
    box.replaceChildren(el('p', 'soft', `The ${plural(earlier.length, 'capture')} ${of} before this one: mostly ${text(most[0])} (${most[1]}).`),
      moves.length ? usualTable(moves) : el('p', '', 'No number has moved to its double or half.'));
  } catch (e) {
    if (shownCapture === c) box.replaceChildren(el('p', 'soft', `Not compared: ${e.message}`));
  }
}
