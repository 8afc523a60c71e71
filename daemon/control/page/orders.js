function noteCard(title) {
  const card = el('div', 'note-card'), body = el('div');
  const close = button('×', () => card.remove());
  close.setAttribute('aria-label', 'Close');
  card.append(el('div', 'top', el('span', '', title), close), body);
  $('notes').append(card);
  while ($('notes').children.length > 5) $('notes').firstChild.remove();
  return { card, body };
}

function complain(title, e) {
  const note = noteCard(title);
  note.card.classList.add('bad');
  note.body.append(e.message + (e.retryAfter ? ` (again in ${span(e.retryAfter * 1000)})` : ''));
  if (e.status === 401 || e.status === 0) { failed(e); refresh(); }
}

$('suspend').addEventListener('click', async () => {
  const b = $('suspend'), verb = b.textContent === 'Resume' ? 'resume' : 'suspend';
  b.dataset.busy = 'yes';
  b.disabled = true;
  try {
    await api(`/api/v1/${verb}`, { body: {} });
  } catch (e) { complain(`Could not ${verb}`, e); }
  delete b.dataset.busy;
  tick();
});

async function order(what, title) {
  const note = noteCard(title);
  const o = { what, note, bar: el('i'), state: el('div', 'soft', 'asking…'), keys: [] };
  note.body.append(o.state, el('div', 'bar', o.bar));
  S.orders.add(o);
  tick();
  try {
    const reply = await api('/api/v1/capture', { body: { ...what, wait: true, reason: 'status page' }, timeout: 0 });
    const list = (x) => (Array.isArray(x) ? x : []);
    note.body.replaceChildren(...list(reply.captures).map((c) => outcome(o, c)),
      ...list(reply.limited).map((c) => el('div', 'soft', `${text(c.host)}: was captured too often, not now`)));
  } catch (e) {
    note.card.classList.add('bad');
    note.body.replaceChildren(e.message + (e.retryAfter ? ` (again in ${span(e.retryAfter * 1000)})` : ''));
    if (e instanceof Failure && (e.status === 401 || e.status === 0)) failed(e);
  }
  S.orders.delete(o);
  if (o.keys.length) { o.until = Date.now() + 60000; S.orders.add(o); } // until the labels are known
  S.signature = '';
  tick();
}

function outcome(o, c) {
  const line = el('div');
  if (!c.key) {
    line.append(`${text(c.host)}: ${text(c.outcome)}${c.text ? `, ${text(c.text)}` : ''}`);
    return line;
  }
  const label = el('div', 'soft', 'captured; its label follows');
  o.keys.push({ key: text(c.key), label });
  if (!S.captures.has(c.key)) takeCapture(c);
  line.append(button(text(c.key), () => openDetails(S.captures.get(c.key)), 'link mono'), label);
  return line;
}

function followOrders() {
  for (const o of S.orders) {
    if (!o.keys.length) {
      const t = S.targets.find((x) => x.in_flight && Object.entries(o.what).every(([k, v]) => x[k] === v));
      if (!t) continue;
      const f = t.in_flight, began = time(f.start);
      setText(o.state, flightText(f));
      const share = f.state === 'publishing' ? 1
        : f.state === 'capturing' && began !== null && f.seconds ? (now() - began) / 1000 / f.seconds : 0;
      o.bar.style.width = `${Math.min(1, share) * 100}%`;
      continue;
    }
    o.keys = o.keys.filter(({ key, label }) => {
      const c = S.captures.get(key);
      if (!c || c.code === null) return true;
      setText(label, describe(c).slice(1).join(' · '));
      return false;
    });
    if (!o.keys.length || Date.now() > o.until) {
      for (const k of o.keys) setText(k.label, 'captured; no label');
      S.orders.delete(o);
    }
  }
}
