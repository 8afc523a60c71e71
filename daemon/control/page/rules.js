// All, if these are few; else those that fired.
const RULES = 50;

async function loadRules() {
  if (S.rules.total > RULES && Date.now() - S.rulesAt < 30000) return; // contraced looks through all of them
  let page = await api('/api/v1/triggers' + query({ limit: RULES }));
  const total = number(page.total);
  if (total > RULES) page = await api('/api/v1/triggers' + query({ limit: RULES, state: 'fired' }));
  S.rulesAt = Date.now();
  S.rules = { list: Array.isArray(page.triggers) ? page.triggers : [], total };
}

function ruleRow(r) {
  const state = text(r.state), fired = time(r.fired), failing = state === 'poll_failing';
  const sees = failing && r.poll ? `${text(r.poll.result)}: ${text(r.poll.text)}` : text(r.text);
  const said = state === 'pending' ? `pending ${number(r.over)} of ${number(r.for)}` : state;
  const className = ['fired', 'pending', 'refused'].includes(state) ? 'warn' : failing || state === 'blind' ? 'bad' : '';
  return el('tr', '', el('td', className, said), el('td', '', text(r.rule)),
    el('td', '', `${text(r.service)} ${text(r.address)}`),
    el('td', '', fired === null ? '' : ago(now() - fired)), el('td', '', sees));
}

function showRules() {
  const { list, total } = S.rules, signature = JSON.stringify([list, Math.floor(now() / 60e3)]);
  setHidden($('rules'), total === 0);
  if (S.rulesShown === signature) return;
  S.rulesShown = signature;
  $('rules-rows').replaceChildren(...list.map(ruleRow));
  setText($('rules-more'), total > RULES ? `${total} rules at targets: these are those that fired` : '');
}

async function loadIncidents() {
  const page = await api('/api/v1/incidents');
  S.incidents = Array.isArray(page.incidents) ? page.incidents : [];
}

// What a rule saw, and what that was held against; or who asked.
function whyOf(r) {
  const t = r.trigger;
  if (!t || typeof t !== 'object') return text(r.reason);
  return `${text(r.reason)}: ${three(number(t.value))} ${text(t.unit)}, the limit is ${three(number(t.threshold))}`;
}

const parted = (list, none) => (list.length ? list.flatMap((e, i) => (i ? [' · ', e] : [e])) : [none]);

function incidentRow(r) {
  const at = time(r.start), list = Array.isArray(r.artifacts) ? r.artifacts : [];
  const had = list.filter((a) => a.key).map((a) =>
    download({ key: text(a.key) }, isTrace(a.key) ? '.trace' : '', text(a.key).replaceAll('/', '-'), text(a.artifact), 'link'));
  const not = list.filter((a) => !a.key).map((a) => {
    const said = el('span', '', `${text(a.artifact)}: ${text(a.outcome || a.state).replaceAll('_', ' ')}`);
    said.title = text(a.text);
    return said;
  });
  const when = el('td', '', at === null ? '' : ago(now() - at), r.ended ? '' : ', under way');
  when.title = text(r.incident);
  return el('tr', '', when, el('td', '', `${text(r.service)} ${text(r.host)}`), el('td', '', whyOf(r)),
    el('td', '', ...parted(had, 'nothing')), el('td', '', ...parted(not, '')));
}

function showIncidents() {
  const signature = JSON.stringify([S.incidents, Math.floor(now() / 60e3)]);
  setHidden($('incidents'), S.incidents.length === 0);
  if (S.incidentsShown === signature || $('incidents-rows').contains(document.activeElement)) return;
  S.incidentsShown = signature;
  $('incidents-rows').replaceChildren(...S.incidents.map(incidentRow));
}
