// The page in the frame, on the content origin. It plays one content and tells the page around it what happens; it knows nobody
// and asks nothing of the service. Messages both ways carry `xinqiao: 1` and are read only from the one origin that may speak.
(() => {
  const { hash, parent: parentOrigin } = document.documentElement.dataset;
  const language = document.documentElement.lang;
  const container = document.getElementById('content');
  const send = (message) => window.parent.postMessage({ xinqiao: 1, ...message }, parentOrigin);

  const fail = (message) => {
    const place = document.getElementById('failure');
    place.textContent =
      language === 'en' ? `This content could not be loaded: ${message}` : `内容无法加载：${message}`;
    place.hidden = false;
    container.removeAttribute('aria-busy');
    send({ type: 'failed', message });
  };

  /** The first library that the content needs and the store lacks, by name; H5P itself would only show nothing. */
  const missingLibrary = async (base) => {
    const answer = await fetch(`${base}/h5p.json`);
    if (!answer.ok) return 'h5p.json';
    const { preloadedDependencies = [] } = await answer.json();
    for (const { machineName, majorVersion, minorVersion } of preloadedDependencies) {
      const name = `${machineName}-${majorVersion}.${minorVersion}`;
      if (!(await fetch(`${base}/${name}/library.json`)).ok) return name;
    }
    return undefined;
  };

  // That it is used, and not how: the page can't see into this frame.
  let used = 0;
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove'])
    window.addEventListener(
      type,
      () => {
        if (Date.now() - used < 1_000) return;
        used = Date.now();
        send({ type: 'used' });
      },
      { capture: true, passive: true },
    );

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

  const open = async (state) => {
    const base = `/contents/${hash}`;
    const missing = await missingLibrary(base);
    if (missing !== undefined) return fail(language === 'en' ? `${missing} is missing` : `缺少 ${missing}`);
    lastState = state ?? undefined;
    await new window.H5PStandalone.H5P(container, {
      h5pJsonPath: base,
      frameJs: '/h5p/frame.bundle.js',
      frameCss: '/h5p/styles/h5p.css',
      embedType: 'div',
      frame: false,
      fullScreen: false,
      copyright: false,
      export: false,
      icon: false,
      // Inverted in 3.8.2: false keeps H5P from starting, so that the first statements find their listener.
      preventH5PInit: false,
      // H5P hands a state back only where it believes that it saves; this page saves by message, and oftener.
      saveFreq: 3600,
      ...(state === null ? {} : { contentUserData: [{ state }] }),
    });
    window.H5P.externalDispatcher.on('xAPI', (event) => {
      // A plain copy: the event's own object carries functions, which no message can.
      send({ type: 'statement', statement: JSON.parse(JSON.stringify(event.data.statement)) });
      saveState();
    });
    window.H5P.init(document.body);
    container.removeAttribute('aria-busy');
    window.setInterval(saveState, 3000);
    document.addEventListener('visibilitychange', saveState);
    window.addEventListener('pagehide', saveState);
    new ResizeObserver(() => send({ type: 'height', pixels: Math.ceil(document.body.scrollHeight) })).observe(
      document.body,
    );
  };

  let opened = false;
  window.addEventListener('message', (event) => {
    if (event.origin !== parentOrigin || event.source !== window.parent || event.data?.xinqiao !== 1) return;
    if (event.data.type !== 'open' || opened) return;
    opened = true;
    const state = typeof event.data.state === 'string' ? event.data.state : null;
    open(state).catch((error) => fail(error instanceof Error ? error.message : String(error)));
  });
  send({ type: 'ready' });
})();
