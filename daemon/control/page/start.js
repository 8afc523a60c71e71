function readChoices() {
  const h = new URLSearchParams(location.hash.slice(1));
  if (RANGES.some((r) => r[0] === h.get('range'))) { S.range = h.get('range'); S.chosenRange = true; }
  if (Object.keys(ORDERS).includes(h.get('sort'))) S.sort = h.get('sort');
  if (PLOTS[h.get('plot')]) S.plot = h.get('plot');
  S.filter = h.get('filter') || '';
  $('filter').value = S.filter;
  $('sort').value = S.sort;
  $('plot').value = S.plot;
}

function keepChoices() {
  const h = new URLSearchParams();
  if (S.chosenRange) h.set('range', S.range);
  if (S.sort !== 'worst') h.set('sort', S.sort);
  if (S.plot !== 'p99') h.set('plot', S.plot);
  if (S.filter) h.set('filter', S.filter);
  window.history.replaceState(null, '', h.toString() ? `#${h}` : location.pathname);
}

function chosen() { forceOrder = true; keepChoices(); refresh(); }

function chooseRange(name) {
  S.range = name;
  S.chosenRange = true;
  S.complete = rangeStart() >= S.floor;
  chosen();
  tick();
}

for (const [name] of RANGES) $('ranges').append(button(name, () => chooseRange(name)));
$('filter').addEventListener('input', () => { S.filter = $('filter').value; chosen(); });
$('sort').addEventListener('change', () => { S.sort = $('sort').value; chosen(); });
$('plot').addEventListener('change', () => { S.plot = $('plot').value; chosen(); });
$('rows').addEventListener('pointerenter', () => { pointerOnRows = true; });
$('rows').addEventListener('pointerleave', () => { pointerOnRows = false; });
addEventListener('scroll', () => showRows(false), { passive: true });
addEventListener('resize', readLayout);
addEventListener('hashchange', () => { readChoices(); refresh(); tick(); });
dark.addEventListener('change', readLayout);
addEventListener('keydown', (e) => {
  if (e.key !== '/' || /INPUT|SELECT/.test(document.activeElement.tagName) || $('details').open) return;
  e.preventDefault();
  $('filter').focus();
});
setInterval(() => {
  if (document.visibilityState === 'hidden' || !S.status) return;
  followOrders();
  showHead();
  showBanners();
  showRows(false);
}, 1000);

readChoices();
readLayout();
tick();
