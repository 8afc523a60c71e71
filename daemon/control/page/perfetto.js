const PERFETTO = 'https://ui.perfetto.dev';
const PERFETTO_WAIT = 60000;

// The other page answers PING with PONG as soon as it can take a file.
function perfettoReady(page) {
  return new Promise((resolve, reject) => {
    const began = Date.now();
    const end = (fn, value) => { clearInterval(timer); removeEventListener('message', heard); fn(value); };
    const heard = (e) => { if (e.source === page && e.origin === PERFETTO && e.data === 'PONG') end(resolve); };
    const timer = setInterval(() => {
      if (page.closed) end(reject, new Failure(-1, 'its tab was closed'));
      else if (Date.now() - began > PERFETTO_WAIT) end(reject, new Failure(-1, `${PERFETTO} does not answer`));
      else page.postMessage('PING', '*');
    }, 100);
    addEventListener('message', heard);
  });
}

// The tab must be opened at once: a browser allows it only while it handles the click.
async function openInPerfetto(c, b) {
  const page = window.open(PERFETTO), title = b.textContent;
  if (!page) { complain('Not opened', new Failure(-1, 'this browser forbids new tabs; allow them for this page')); return; }
  b.disabled = true;
  b.textContent = 'Handing it over…';
  try {
    const [buffer] = await Promise.all([fetchBlob(viewPath(c, 'perfetto')).then((x) => x.arrayBuffer()), perfettoReady(page)]);
    const named = `${c.service} on ${c.host}, ${new Date(c.t).toISOString()}`;
    page.postMessage({ perfetto: { buffer, title: named, fileName: fileName(c, '.pftrace') } }, PERFETTO, [buffer]);
  } catch (e) { complain('Not opened in Perfetto', e); }
  b.textContent = title;
  b.disabled = false;
}

function perfettoButton(c) {
  const b = button('Open in Perfetto', () => openInPerfetto(c, b), 'perfetto');
  b.title = `Opens ${PERFETTO} in a new tab, and gives it the file there. The file stays in this browser.`;
  return b;
}
