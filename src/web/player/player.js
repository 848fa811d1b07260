// The page in the frame. It plays one content and tells the page around it what happens; it knows nobody and asks nothing of the
// service. Messages both ways carry `xinqiao: 1`; what it sends is text and numbers alone, and is read by `learner/player-message.ts`.
(() => {
  const { base, files, parent: parentOrigin, missing } = document.documentElement.dataset;
  const language = document.documentElement.lang;
  const container = document.getElementById('content');
  const send = (message) => window.parent.postMessage({ xinqiao: 1, ...message }, parentOrigin);

  /** `why`: library, network, script or content. */
  let failed = false;
  const fail = (why, detail) => {
    if (failed) return;
    failed = true;
    container.removeAttribute('aria-busy');
    send({ type: 'failed', why, detail: String(detail ?? '').slice(0, 300) });
  };

  // Where a browser keeps nothing for a frame, it throws as soon as a content looks for storage. It gets some that lasts as long as the page.
  const storage = () => {
    const kept = new Map();
    const own = {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, value) => void kept.set(String(key), String(value)),
      removeItem: (key) => void kept.delete(String(key)),
      clear: () => kept.clear(),
      key: (at) => [...kept.keys()][at] ?? null,
    };
    return new Proxy(own, {
      get: (target, key) => (key === 'length' ? kept.size : (target[key] ?? kept.get(String(key)))),
      set: (_target, key, value) => Boolean(kept.set(String(key), String(value))),
      has: (target, key) => key in target || kept.has(String(key)),
      deleteProperty: (_target, key) => kept.delete(String(key)) || true,
    });
  };

  /** All contents share this origin: what another left is gone before this one begins, and what it leaves itself goes with the page. */
  const emptyStorage = () => {
    for (const name of ['localStorage', 'sessionStorage'])
      try {
        window[name].clear();
      } catch {
        Object.defineProperty(window, name, { configurable: true, value: storage() });
      }
    try {
      for (const each of document.cookie.split(';'))
        for (const path of ['/', '/player', location.pathname])
          document.cookie = `${each.split('=')[0].trim()}=; Path=${path}; Max-Age=0`;
    } catch {
      // it has none
    }
  };
  const emptyOrigin = async () => {
    emptyStorage();
    const databases = async () => {
      for (const { name } of (await window.indexedDB?.databases?.()) ?? [])
        window.indexedDB.deleteDatabase(name);
    };
    const caches = async () => {
      for (const name of (await window.caches?.keys()) ?? []) await window.caches.delete(name);
    };
    const folders = async () => {
      const folder = await navigator.storage?.getDirectory?.();
      if (folder === undefined) return;
      for await (const name of folder.keys()) await folder.removeEntry(name, { recursive: true });
    };
    await Promise.allSettled([databases(), caches(), folders()]);
  };

  // That it is used, and not how: the page around can't see into this frame.
  let used = 0;
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove'])
    window.addEventListener(
      type,
      () => {
        grown = 0;
        if (Date.now() - used < 1_000) return;
        used = Date.now();
        send({ type: 'used' });
      },
      { capture: true, passive: true },
    );

  /*
   * The frame is as high as what is in it. A content that is always higher than its window would make both grow for ever, so that a
   * few times of growing with nobody at it are enough.
   */
  const MOST_GROWTH = 12;
  let grown = 0;
  let told = 0;
  const tellHeight = () => {
    const pixels = Math.ceil(document.body.getBoundingClientRect().height);
    if (Math.abs(pixels - told) < 2) return;
    if (pixels > told && (grown += 1) > MOST_GROWTH) return;
    told = pixels;
    send({ type: 'height', pixels });
  };

  let lastState;
  const saveState = () => {
    const instance = window.H5P?.instances?.[0];
    if (typeof instance?.getCurrentState !== 'function') return;
    let state;
    try {
      state = JSON.stringify(instance.getCurrentState());
    } catch {
      return; // a content that can't tell its state has none to save
    }
    if (state === undefined || state === lastState) return;
    lastState = state;
    send({ type: 'state', data: state });
  };

  let opened = false;
  /** What a script said that broke before the content was open. */
  let early;
  window.addEventListener(
    'error',
    (event) => {
      const { target } = event;
      if (
        target instanceof HTMLScriptElement ||
        (target instanceof HTMLLinkElement && target.rel === 'stylesheet')
      ) {
        // H5P would wait for it for ever. A style can be done without.
        if (!opened && target instanceof HTMLScriptElement)
          fail('network', new URL(target.src).pathname.split('/').at(-1));
        return;
      }
      if (!(event instanceof ErrorEvent) || /ResizeObserver loop/.test(event.message)) return;
      // Whether it plays all the same is seen when it is opened: one of many libraries may do without what it missed.
      if (!opened) early ??= event.message.slice(0, 300);
      else send({ type: 'trouble', detail: event.message.slice(0, 300) });
    },
    true,
  );

  const open = async (state) => {
    if (missing) return fail('library', missing);
    if (window.H5PStandalone === undefined) return fail('network', 'main.bundle.js');
    lastState = state ?? undefined;
    await emptied;
    await new window.H5PStandalone.H5P(container, {
      h5pJsonPath: base,
      frameJs: `${files}/h5p/frame.bundle.js`,
      frameCss: `${files}/h5p/styles/h5p.css`,
      embedType: 'div',
      frame: false,
      fullScreen: false,
      copyright: false,
      export: false,
      icon: false,
      translations: { H5P: window.XinqiaoPlayerWords?.[language] ?? {} },
      // Inverted in 3.8.2: false keeps H5P from starting, so that the first statements find their listener.
      preventH5PInit: false,
      // H5P hands a state back only where it believes that it saves; this page saves by message, and oftener.
      saveFreq: 3600,
      ...(state === null ? {} : { contentUserData: [{ state }] }),
    });
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) window.H5P.jQuery.fx.off = true;
    window.H5P.externalDispatcher.on('xAPI', (event) => {
      let statement;
      try {
        statement = JSON.stringify(event.data.statement);
      } catch {
        return; // no statement could be made of it
      }
      send({ type: 'statement', statement });
      saveState();
    });
    window.H5P.init(document.body);
    if (window.H5P.instances.length === 0)
      return early === undefined ? fail('content', '') : fail('script', early);
    opened = true;
    container.removeAttribute('aria-busy');
    new ResizeObserver(tellHeight).observe(document.body);
    tellHeight();
    send({ type: 'opened' });
    if (early !== undefined) send({ type: 'trouble', detail: early });
    window.setInterval(saveState, 3000);
    document.addEventListener('visibilitychange', saveState);
    window.addEventListener('pagehide', () => {
      saveState();
      emptyStorage();
    });
  };

  let asked = false;
  window.addEventListener('message', (event) => {
    if (event.origin !== parentOrigin || event.source !== window.parent || event.data?.xinqiao !== 1) return;
    if (event.data.type !== 'open' || asked) return;
    asked = true;
    const state = typeof event.data.state === 'string' ? event.data.state : null;
    open(state).catch((error) => {
      // fetch() tells a line that broke by this, and only so.
      const broken = error instanceof TypeError && /fetch|network|load failed/i.test(error.message);
      fail(broken ? 'network' : 'script', error instanceof Error ? error.message : error);
    });
  });
  const emptied = emptyOrigin().catch(() => {});
  send({ type: 'ready' });
})();
