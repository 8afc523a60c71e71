let timer = 0, ticking = false, again = false, hiddenSince = null;

async function tick() {
  if (ticking) { again = true; return; }
  ticking = true;
  clearTimeout(timer);
  try {
    const status = await api('/api/v1/status');
    const at = time(status.now);
    if (at !== null) S.skew = at - Date.now();
    S.status = status;
    S.lost = null; S.problem = null; S.asksToken = false;
    const ready = await ask('/-/ready');
    S.ready = ready.ok ? null : (await ready.text()).slice(0, 1000) || 'not ready';
    const old = Date.now() - S.targetsAt;
    if (S.orders.size || S.total <= PAGE || old > 30000) await loadTargets();
    await loadRules();
    await loadIncidents();
    const oldest = status.spool && time(status.spool.oldest);
    if (oldest) forgetBefore(oldest - 1000);
    fitRange();
    refresh();
    await loadCaptures();
    followOrders();
  } catch (e) {
    failed(e);
  } finally {
    ticking = false;
    const soon = again || S.orders.size;
    again = false;
    refresh();
    schedule(soon ? 1000 : document.visibilityState === 'hidden' ? POLL_HIDDEN : POLL);
  }
}

function failed(e) {
  if (!(e instanceof Failure)) throw e;
  if (e.status === 401) {
    S.asksToken = true;
    S.tokenRefused = S.token !== '';
  } else if (e.status === 0) {
    S.lost = S.lost || Date.now();
  } else {
    S.problem = `${e.message} (HTTP ${e.status})`;
  }
}

function schedule(wait) {
  clearTimeout(timer);
  if (S.asksToken) return;
  if (hiddenSince !== null && Date.now() - hiddenSince > STOP_HIDDEN) return;
  timer = setTimeout(tick, wait);
}

document.addEventListener('visibilitychange', () => {
  hiddenSince = document.visibilityState === 'hidden' ? Date.now() : null;
  if (hiddenSince === null) tick();
});
