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
  setText($('plotted'), PLOTS[S.plot].said);
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
