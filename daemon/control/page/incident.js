// What else belongs to the incident of a capture.
function triggerText(record) {
  const t = record.trigger;
  if (!t || typeof t !== 'object') return '';
  const seen = text(t.text) || `${three(number(t.value))} ${text(t.unit)}, the limit is ${three(number(t.threshold))}`;
  return `Rule ${text(t.rule)}: ${seen}`;
}

function incidentLine(e, c) {
  const key = text(e.key), trace = key.endsWith('.trace'), line = el('li');
  const link = download({ key }, trace ? '.trace' : '', key.replaceAll('/', '-'), text(e.artifact), 'link');
  line.append(link, el('span', 'soft', ` ${size(e.bytes)}${e.label ? `, ${text(e.label)}` : ''}${key === c.key ? ' (this one)' : ''} `));
  if (trace && key !== c.key) {
    const other = { key, t: time(e.start), service: text(e.service), host: text(e.host), bytes: number(e.bytes), state: text(e.state), incident: text(e.incident) };
    takeLabel(other, e);
    line.append(button('Look', () => openDetails(S.captures.get(key) || other), 'small'));
  }
  return line;
}

async function showIncident(c, record, box) {
  try {
    const page = await api('/api/v1/captures' + query({ incident: c.incident || text(record.incident), limit: 100 }));
    const list = (Array.isArray(page.captures) ? page.captures : []).reverse();
    if (shownCapture !== c) return;
    const why = triggerText(record) || `Asked for by ${text(record.reason)}`;
    const started = list.length ? list[0].start : record.start;
    box.replaceChildren(el('p', '', `${why}. Begun ${moment(time(started))}.`), el('ul', 'artifacts', ...list.map((e) => incidentLine(e, c))));
  } catch (e) {
    if (shownCapture === c) box.replaceChildren(el('p', 'soft', `Not listed: ${e.message}`));
  }
}
