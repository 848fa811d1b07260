import { useEffect, useId, useRef, useState } from 'react';
import { graphql, request, type ResultOf } from '../graphql.ts';
import { formatDay, useLanguage, type LanguageCode } from '../language.tsx';

/* Where to get help now: the county's own numbers first, each with the day on which it was checked. */

const Hotlines = graphql(`
  query Hotlines($language: Language!) {
    hotlines {
      number
      name(language: $language)
      hours(language: $language)
      audience(language: $language)
      source(language: $language)
      checkedOn
      isLocal
    }
  }
`);
type Hotline = ResultOf<typeof Hotlines>['hotlines'][number];

const asked = new Map<LanguageCode, Promise<readonly Hotline[]>>();

/** undefined: not here yet, or not to be had. The numbers of the country stand on the page all the same. */
function useHotlines(): readonly Hotline[] | undefined {
  const { code } = useLanguage();
  const [found, setFound] = useState<{ code: LanguageCode; hotlines: readonly Hotline[] }>();
  useEffect(() => {
    let asking = asked.get(code);
    if (asking === undefined) {
      asking = request(Hotlines, { language: code }).then(({ hotlines }) => hotlines);
      asked.set(code, asking);
      // Asked again by the next page.
      asking.catch(() => asked.delete(code));
    }
    let current = true;
    asking.then(
      (hotlines) => current && setFound({ code, hotlines }),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [code]);
  return found?.code === code ? found.hotlines : undefined;
}

/** The numbers in a line, to call by a tap. */
export function HelpNumbers() {
  const { t } = useLanguage();
  const lines = useHotlines() ?? t.helplines;
  return lines.map(({ number, name }) => (
    <a key={number} href={`tel:${number}`}>
      {name} <strong>{number}</strong>
    </a>
  ));
}

/** On every page, whatever is open: for the one who reads, and not for a student of theirs. */
export function NeedHelp() {
  const { t, language } = useLanguage();
  const hotlines = useHotlines();
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  return (
    <>
      <button
        type="button"
        className="plain need-help"
        aria-haspopup="dialog"
        onClick={() => dialog.current?.showModal()}
      >
        {t.needHelp.link}
      </button>
      <dialog ref={dialog} className="help-panel" aria-labelledby={title}>
        <h2 id={title}>{t.needHelp.title}</h2>
        {t.needHelp.words.map((words) => (
          <p key={words}>{words}</p>
        ))}
        <ul>
          {hotlines === undefined
            ? t.helplines.map(({ number, name }) => (
                <li key={number}>
                  <a href={`tel:${number}`}>
                    <strong>{number}</strong> {name}
                  </a>
                </li>
              ))
            : hotlines.map((line) => (
                <li key={line.number}>
                  <a href={`tel:${line.number}`}>
                    <strong>{line.number}</strong> {line.name}
                  </a>
                  <span>
                    {line.audience} · {line.hours}
                  </span>
                  <span className="quiet">
                    {t.needHelp.checked(formatDay(line.checkedOn, language))} · {line.source}
                  </span>
                </li>
              ))}
        </ul>
        <p className="quiet">{t.needHelp.after}</p>
        <form method="dialog">
          <button type="submit" className="wide">
            {t.needHelp.close}
          </button>
        </form>
      </dialog>
    </>
  );
}
