// The page around the player in a preview: what the teacher's page does, with what is said shown instead of sent.
(() => {
  const at = (id) => document.getElementById(id);
  const player = at('player');
  const choice = at('activity');
  /** Address of a content → where it was left, so that a change shows where the author looks. */
  const states = new Map();
  let said = 0;
  /** Kept while nothing can be played, to come back to. */
  let chosen = location.hash.slice(1);
  let loads = 0;

  const line = (text, className) => {
    const item = document.createElement('li');
    item.textContent = text;
    if (className) item.className = className;
    return item;
  };

  const open = () => {
    const isThere = choice.value !== '';
    at('state').textContent = isThere
      ? ''
      : '现在没有可以播放的内容，原因见检查结果。 Nothing can be played now: the check says why.';
    at('statements').replaceChildren();
    at('count').textContent = said = 0;
    player.hidden = !isThere;
    if (!isThere) player.removeAttribute('src');
    else player.src = chosen = choice.value;
  };

  const load = async () => {
    const load = (loads += 1);
    const answer = await fetch('/look.json');
    const { title, activities, problems, warnings } = await answer.json();
    // A file was changed again meanwhile: what is newer comes.
    if (load !== loads) return;
    at('title').textContent = title || '课程预览';
    choice.replaceChildren(
      ...activities.map(({ url, title: name, language }) => new Option(`${name}（${language}）`, url)),
    );
    if (activities.some(({ url }) => url === chosen)) choice.value = chosen;
    at('problems').replaceChildren(
      ...problems.map(({ where, what }) => line(`${where}: ${what}`, 'bad')),
      ...warnings.map(({ where, what }) => line(`${where}: ${what}`)),
      ...(problems.length + warnings.length === 0 ? [line('没有问题。 In order.')] : []),
    );
    open();
  };

  window.addEventListener('message', ({ source, origin, data }) => {
    if (source !== player.contentWindow || data?.xinqiao !== 1) return;
    if (choice.value === '' || origin !== new URL(choice.value).origin) return;
    if (data.type === 'ready')
      source.postMessage({ xinqiao: 1, type: 'open', state: states.get(choice.value) ?? null }, origin);
    else if (data.type === 'state') states.set(choice.value, data.data);
    else if (data.type === 'height')
      player.style.height = `${Math.min(20_000, Math.max(120, data.pixels))}px`;
    else if (data.type === 'failed' || data.type === 'trouble')
      at('state').textContent = `${data.why ?? '程序出错 script error'}: ${data.detail}`;
    else if (data.type === 'statement') {
      at('count').textContent = said += 1;
      at('statements').append(line(data.statement));
    }
  });
  choice.addEventListener('change', open);
  at('forget').addEventListener('click', () => {
    states.delete(choice.value);
    open();
  });
  new EventSource('/changes').addEventListener('message', () => void load());
  void load();
})();
