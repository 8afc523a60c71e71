const fileName = (c, end) => c.key.replace(/\//g, '-').replace(/\.trace$/, end === undefined ? '.trace' : end);
const quoted = (s) => (/^[\w@%+=:,./-]+$/.test(s) ? s : `'${s.replace(/'/g, `'\\''`)}'`);

async function fetchBlob(path) {
  const reply = await ask(path, { timeout: 0 });
  if (reply.ok) return reply.blob();
  let said = `${reply.status} ${reply.statusText}`;
  try { said = text((await reply.json()).error) || said; } catch { /* no JSON: the status says it */ }
  throw new Failure(reply.status, said, Number(reply.headers.get('Retry-After')) || 0);
}

function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob), a = el('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

// A link serves while no token is needed; a link cannot carry one.
function download(c, suffix, name, title, className) {
  const a = el('a', `button ${className}`, title);
  a.href = keyPath(c.key, suffix);
  a.download = name;
  a.addEventListener('click', async (e) => {
    if (!S.token) return;
    e.preventDefault();
    try { saveBlob(await fetchBlob(a.getAttribute('href')), name); } catch (err) { complain('No download', err); }
  });
  return a;
}

// What contraced makes of a trace when it is asked for: that takes a moment, and may fail.
const viewPath = (c, view) => `${keyPath(c.key, '.trace')}?view=${view}`;

function viewButton(c, view, end, title, said) {
  const b = button(title, async () => {
    b.disabled = true;
    b.textContent = `${title}…`;
    try { saveBlob(await fetchBlob(viewPath(c, view)), fileName(c, end)); } catch (e) { complain('No download', e); }
    b.textContent = title;
    b.disabled = false;
  });
  b.title = said;
  b.dataset.view = view;
  return b;
}
