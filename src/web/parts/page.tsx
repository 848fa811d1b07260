import { useEffect, useRef, type ReactNode } from 'react';
import { useLanguage } from '../language.tsx';
import { toTop } from './frame.ts';
import { HelpNumbers, NeedHelp } from './help.tsx';
import '../style.css';

/** Frame of every page: brand, language, content, and where to get help now. */
export function Shell({
  children,
  actions,
  home,
}: {
  children: ReactNode;
  actions?: ReactNode;
  home: ReactNode;
}) {
  const { t, language, choose } = useLanguage();
  return (
    <>
      <a className="skip" href="#main">
        {t.skip}
      </a>
      <header className="top">
        <div className="top-inner">
          {home}
          <div className="top-actions">
            <NeedHelp />
            {actions}
            <button
              type="button"
              className="plain"
              lang={language === 'zh-CN' ? 'en' : 'zh-CN'}
              onClick={() => choose(language === 'zh-CN' ? 'en' : 'zh-CN')}
            >
              {language === 'zh-CN' ? 'English' : '中文'}
            </button>
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <footer className="help">
        <p>
          <span>{t.help}</span>
          <HelpNumbers />
        </p>
      </footer>
    </>
  );
}

export function Brand() {
  const { t } = useLanguage();
  return (
    <span className="brand">
      <svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true">
        <path
          d="M2 16 H30 M4 16 Q16 0 28 16 M10 16 V10.5 M16 16 V8 M22 16 V10.5"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.2"
          strokeLinecap="round"
        />
      </svg>
      {t.product}
    </span>
  );
}

/** The page's heading; it takes the focus when the page comes up, so that a reader of the screen knows where they are. */
export function Title({ children, text }: { children: ReactNode; text: string }) {
  const { t } = useLanguage();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${text} · ${t.product}`;
  }, [text, t]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    toTop();
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

export function Loading() {
  const { t } = useLanguage();
  return (
    <div className="card skeleton" role="status">
      <span className="visually-hidden">{t.loading}</span>
      <span className="bone wide" />
      <span className="bone" />
      <span className="bone short" />
    </div>
  );
}

export function Failed({
  code,
  message,
  retry,
}: {
  code: string | undefined;
  message: string;
  retry: () => void;
}) {
  const { t } = useLanguage();
  return (
    <div className="card notice bad" role="alert">
      <h2>{t.failed}</h2>
      <p>
        {code === 'OFFLINE' ? t.offline : ((code === undefined ? undefined : t.refusal[code]) ?? message)}
      </p>
      <button type="button" onClick={retry}>
        {t.retry}
      </button>
    </div>
  );
}

export function ProgressBar({ value, max, label }: { value: number; max: number; label: string }) {
  return <progress className="bar" value={value} max={max} aria-label={label} />;
}
