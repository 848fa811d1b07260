/*
 * In the frame of a learning platform. The page says how high it is (`lti.frameResize`), so that whoever reads it scrolls one page and not two: a
 * convention of Canvas that Sakai and a plugin of Moodle know too. Where nobody listens, the page scrolls in its frame as before.
 */

/** What a launch's page says of the platform: origins that may have it in a frame. */
const META = 'meta[name="xinqiao-platform"]';
const SETTLE_MS = 100;
/** A dialog has its place in what is there. */
const LEAST = 480;
/** Of the screen, where something stays in sight while the rest is scrolled: that takes a frame which is seen whole. */
const IN_SIGHT = 0.7;
/** From what was pressed up to the dialog that it opens, and what a dialog may need. */
const [ABOVE, DIALOG] = [240, 640];

let targets: readonly string[] = [];
let isShown = false;

/** A message reaches the platform's own origin or nobody; Sakai and the plugin read text, others objects. */
function say(message: Readonly<Record<string, unknown>>): void {
  for (const target of targets) {
    window.parent.postMessage(message, target);
    window.parent.postMessage(JSON.stringify(message), target);
  }
}

/** Once, when the page comes up. Does nothing outside of a frame, or in one that no launch has led to. */
export function fitFrame(): void {
  const meta = document.querySelector<HTMLMetaElement>(META);
  if (meta === null || window.parent === window) return;
  // Who frames us is allowed to by the page's policy. Where the browser does not say who it is, those that a launch named are asked.
  const around = (location as Partial<Location>).ancestorOrigins?.[0];
  targets = around === undefined ? meta.content.split(' ').filter(Boolean) : [around];
  // Somebody listens: from now on nothing is as high as the frame itself, or each would grow with the other for ever.
  const before = window.innerHeight;
  window.addEventListener('resize', () => {
    if (window.innerHeight !== before) document.documentElement.classList.add('framed');
  });
  let told = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (): void => {
    // What is loading is lower than what comes: the page around it would jump.
    if (document.querySelector('.skeleton') !== null) return;
    const most =
      document.querySelector('[data-stays]') === null ? Infinity : Math.round(screen.availHeight * IN_SIGHT);
    const height = Math.max(LEAST, Math.min(most, Math.ceil(document.body.getBoundingClientRect().height)));
    if (height === told) return;
    told = height;
    say({ subject: 'lti.frameResize', height });
  };
  new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLE_MS);
  }).observe(document.body);
  // The middle of a frame that is as high as its page may be far out of sight: a dialog opens by what was pressed.
  document.addEventListener(
    'click',
    ({ target }) => {
      const { style, scrollHeight } = document.documentElement;
      if (scrollHeight > window.innerHeight || !(target instanceof Element))
        style.removeProperty('--dialog-top');
      else {
        const top = Math.min(target.getBoundingClientRect().top - ABOVE, window.innerHeight - DIALOG);
        style.setProperty('--dialog-top', `${Math.max(16, Math.round(top))}px`);
      }
    },
    { capture: true },
  );
}

/** A page begins at its top; all but the first in the page around it as well, which has only just come up. */
export function toTop(): void {
  window.scrollTo(0, 0);
  if (isShown) say({ subject: 'lti.scrollToTop' });
  isShown = true;
}
