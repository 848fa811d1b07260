import { useEffect, useRef, useState } from 'react';
import { request, RequestFailed } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Title } from '../parts/page.tsx';
import { SavingLine, type SavingState } from '../parts/saving.tsx';
import type { Attempt } from './exam-room.tsx';
import { SaveResponse, SubmitAttempt } from './queries.ts';
import { EXAM, useTimekeeper } from './timekeeper.tsx';

/** One question at a time, every answer saved as it is given, so that a phone may fail at any moment. */
export function ExamSitting({ attempt, reload }: { attempt: Attempt; reload: () => void }) {
  const { t } = useLanguage();
  const [index, setIndex] = useState(0);
  const [chosen, setChosen] = useState<ReadonlyMap<string, readonly string[]>>(
    () => new Map(attempt.items.map((item) => [item.key, item.chosen])),
  );
  const { saving, save, settled } = useSaving(attempt.id, reload);
  const { settle } = useTimekeeper(attempt.assignmentId, EXAM);
  const [submitting, setSubmitting] = useState<{ busy: boolean; failure?: string }>({ busy: false });
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  const item = attempt.items[index]!;
  const mine = chosen.get(item.key) ?? [];
  const unanswered = attempt.items.flatMap((each, at) =>
    (chosen.get(each.key) ?? []).length === 0 ? [at + 1] : [],
  );

  const choose = (key: string): void => {
    const next =
      item.kind === 'MULTIPLE'
        ? mine.includes(key)
          ? mine.filter((each) => each !== key)
          : [...mine, key]
        : [key];
    setChosen(new Map(chosen).set(item.key, next));
    save(item.key, next);
  };
  const show = (at: number): void => {
    setIndex(at);
    heading.current?.focus();
  };
  const submit = async (): Promise<void> => {
    setSubmitting({ busy: true });
    try {
      // An answer still on its way would come too late.
      await settled();
      // The certificate states the hours there are when the exam is passed.
      await settle();
      const { submitAttempt } = await request(SubmitAttempt, { id: attempt.id });
      if (submitAttempt.__typename !== 'SubmitAttemptPayload' && submitAttempt.code !== 'ATTEMPT_CLOSED') {
        setSubmitting({ busy: false, failure: t.refusal[submitAttempt.code] ?? submitAttempt.message });
        return;
      }
      dialog.current?.close();
      reload();
    } catch (error) {
      const offline = error instanceof RequestFailed && error.code === 'OFFLINE';
      setSubmitting({ busy: false, failure: offline ? t.offline : String(error) });
    }
  };

  return (
    <div className="sitting">
      <Title text={t.exam}>{t.exam}</Title>
      <div className="sitting-bar">
        <Countdown deadline={attempt.deadline} over={reload} />
        <SavingLine state={saving} />
      </div>
      <form className="card question" onSubmit={(event) => event.preventDefault()}>
        <fieldset>
          <legend>
            <h2 ref={heading} tabIndex={-1}>
              {t.question(index + 1, attempt.items.length)}
            </h2>
            <span className="quiet">{t.kind[item.kind]}</span>
            <span className="stem">{item.stem}</span>
          </legend>
          {item.options.map((option) => (
            <label key={option.key} className={mine.includes(option.key) ? 'option chosen' : 'option'}>
              <input
                type={item.kind === 'MULTIPLE' ? 'checkbox' : 'radio'}
                name={item.key}
                value={option.key}
                checked={mine.includes(option.key)}
                onChange={() => choose(option.key)}
              />
              <span>{option.text}</span>
            </label>
          ))}
        </fieldset>
        <div className="row spread">
          <button type="button" className="second" disabled={index === 0} onClick={() => show(index - 1)}>
            {t.previous}
          </button>
          {index + 1 < attempt.items.length ? (
            <button type="button" onClick={() => show(index + 1)}>
              {t.next}
            </button>
          ) : (
            <button type="button" onClick={() => dialog.current?.showModal()}>
              {t.submit}
            </button>
          )}
        </div>
      </form>
      <nav className="overview" aria-label={t.overview}>
        {attempt.items.map((each, at) => {
          const done = (chosen.get(each.key) ?? []).length > 0;
          return (
            <button
              type="button"
              key={each.key}
              className={done ? 'dot answered' : 'dot'}
              aria-current={at === index ? 'step' : undefined}
              aria-label={`${t.question(at + 1, attempt.items.length)}: ${done ? t.answered : t.unanswered}`}
              onClick={() => show(at)}
            >
              {at + 1}
            </button>
          );
        })}
        {index + 1 < attempt.items.length && (
          <button type="button" className="second submit" onClick={() => dialog.current?.showModal()}>
            {t.submit}
          </button>
        )}
      </nav>
      <dialog ref={dialog} aria-labelledby="submit-title" onClose={() => setSubmitting({ busy: false })}>
        <h2 id="submit-title">{t.submitTitle}</h2>
        <p>{unanswered.length === 0 ? t.submitAll : t.submitMissing(unanswered)}</p>
        {submitting.failure !== undefined && <p role="alert">{submitting.failure}</p>}
        <div className="row spread">
          <button type="button" className="second" onClick={() => dialog.current?.close()}>
            {t.cancel}
          </button>
          <button type="button" disabled={submitting.busy} onClick={() => void submit()}>
            {t.submitYes}
          </button>
        </div>
      </dialog>
    </div>
  );
}

/**
 * Saves answers in order, the newest of each question, again and again until the service has them, also when the teacher has
 * gone to another page meanwhile.
 */
function useSaving(attemptId: string, closed: () => void) {
  const [saving, setSaving] = useState<SavingState>('idle');
  const waiting = useRef(new Map<string, readonly string[]>());
  const running = useRef<Promise<void>>(undefined);

  const run = async (): Promise<void> => {
    let wait = 500;
    let outcome: SavingState = 'saved';
    while (waiting.current.size > 0) {
      const [[itemKey, chosen]] = [...waiting.current] as [[string, readonly string[]]];
      try {
        setSaving('saving');
        const { saveResponse } = await request(SaveResponse, {
          input: { attemptId, itemKey, chosen: [...chosen] },
        });
        if (waiting.current.get(itemKey) === chosen) waiting.current.delete(itemKey);
        wait = 500;
        if (saveResponse.__typename === 'SaveResponsePayload') continue;
        // Whatever else it is, saving again would not help.
        waiting.current.clear();
        if (saveResponse.code === 'NOT_SIGNED_IN') outcome = 'signed-out';
        else closed();
      } catch {
        setSaving('retrying');
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(wait * 2, 10_000);
      }
    }
    running.current = undefined;
    setSaving(outcome);
  };
  return {
    saving,
    save: (itemKey: string, chosen: readonly string[]): void => {
      waiting.current.set(itemKey, chosen);
      running.current ??= run();
    },
    settled: async (): Promise<void> => running.current,
  };
}

function Countdown({ deadline, over }: { deadline: string; over: () => void }) {
  const { t } = useLanguage();
  const [now, setNow] = useState(() => Date.now());
  const left = Math.max(0, Math.ceil((Date.parse(deadline) - now) / 1000));
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (left > 0) return;
    // The service grades a little after the end, for what is still on its way.
    const timer = setInterval(over, 5_000);
    return () => clearInterval(timer);
  }, [left, over]);
  const minutes = Math.floor(left / 60);
  return (
    <>
      <p className={left <= 60 ? 'countdown urgent' : 'countdown'} role="timer">
        {left === 0 ? t.timeOver : t.timeLeft(`${minutes}:${String(left % 60).padStart(2, '0')}`)}
      </p>
      <p className="visually-hidden" aria-live="assertive">
        {left > 0 && left <= 60 ? t.timeWarning(1) : left > 60 && left <= 300 ? t.timeWarning(5) : ''}
      </p>
    </>
  );
}
