// The slowest of each kind, as the record has them: which lists are looked at, how many of each, and what they are called.
const SLOW = [
  ['tasks', 4, 'task'], ['waits.request', 2, 'wait in a request'], ['waits.call', 2, 'wait for an answer'],
  ['waits.lock', 2, 'wait for a lock'], ['waits.channel', 1, 'wait on a channel'], ['latencies', 2, 'wait for a P'],
  ['syscalls', 1, 'system call'], ['runs', 1, 'run without a pause'], ['regions', 2, 'region'], ['pauses', 1, 'stop-the-world pause'],
];
const SLOW_MOST = 10, SLOW_LEAST = 1e5; // nanoseconds; less is not slow
const WORK = [
  ['running_ns', 'running'], ['runnable_ns', 'runnable'], ['syscall_ns', 'in system calls'], ['assist_ns', 'mark assist'],
  ['standing_ns', 'nobody worked for it'], ['other_waits_ns', 'other waits'],
];

// What a task's time was made of, the most first: [name, nanoseconds].
function workOf(o) {
  const work = o.work && typeof o.work === 'object' ? o.work : {};
  const list = WORK.map(([key, name]) => [name, number(work[key])]).concat(Object.entries(work.waits_ns || {}).map(([k, v]) => [text(k), number(v)]));
  return list.filter((e) => e[1] > 0).sort((a, b) => b[1] - a[1]);
}

function slowestOf(summary) {
  const found = SLOW.flatMap(([path, most, kind]) => {
    const list = dig(summary, `outliers.${path}`);
    return (Array.isArray(list) ? list : []).slice(0, most).filter((o) => o && number(o.duration_ns) >= SLOW_LEAST).map((o) => {
      const what = `${kind}${o.type ? ` “${text(o.type)}”` : ''}${o.reason && path === 'pauses' ? ` (${text(o.reason)})` : ''}`;
      const where = o.func ? `${text(o.func)}${o.file ? `, ${text(o.file).replace(/^.*\/(.*\/)/, '$1')}:${number(o.line)}` : ''}` : '';
      const slow = { at: number(o.at_ns), ns: number(o.duration_ns), kind: path, what, where, work: workOf(o), g: o.g, reason: text(o.reason) };
      slow.said = `${what}: ${ns(slow.ns)}${o.open ? ' and more' : ''} from ${ns(slow.at)} on${where ? ` · ${where}` : ''}`;
      return slow;
    });
  });
  return found.slice(0, SLOW_MOST);
}

// Shades of one colour: the names beside them say which is which.
function workBar(o) {
  const total = o.work.reduce((n, e) => n + e[1], 0), bar = el('div', 'bar work');
  bar.setAttribute('aria-hidden', 'true');
  o.work.slice(0, 5).forEach(([, v], i) => {
    const part_ = el('i');
    part_.style.width = `${v / total * 100}%`;
    part_.style.opacity = String(1 - i * .19);
    bar.append(part_);
  });
  return bar;
}

function slowRow(o, choose) {
  const b = button('', () => choose(o), 'slow');
  b.append(el('b', '', ns(o.ns)), el('span', '', o.what), el('span', 'soft', `at ${ns(o.at)}`));
  b.setAttribute('aria-pressed', 'false');
  const row = el('li', '', b);
  if (o.where) row.append(el('div', 'soft where', o.where));
  if (o.work.length) row.append(workBar(o), el('div', 'soft', o.work.slice(0, 5).map(([name, v]) => `${name} ${ns(v)}`).join(', ')));
  o.button = b;
  return row;
}
