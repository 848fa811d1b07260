import { useRef, useState } from 'react';
import { useLanguage } from '../language.tsx';
import { Title } from '../parts/page.tsx';
import { SavingLine } from '../parts/saving.tsx';
import { isAnswered, type Item } from './exam-answer.tsx';
import { Countdown } from './exam-countdown.tsx';
import { Question } from './exam-question.tsx';
import type { Attempt } from './exam-room.tsx';
import { useSaving } from './exam-saving.ts';
import { SubmitDialog } from './exam-submit.tsx';
import { EXAM, useTimekeeper } from './timekeeper.tsx';

/** Every answer is saved as it is given, so that a phone may fail at any moment. */
export function ExamSitting({ attempt, reload }: { attempt: Attempt; reload: () => void }) {
  const { t } = useLanguage();
  const [index, setIndex] = useState(0);
  const [chosen, setChosen] = useState<ReadonlyMap<string, readonly string[]>>(
    () => new Map(attempt.items.map((item) => [item.key, item.chosen])),
  );
  const { saving, save, settled } = useSaving(attempt.id, reload);
  const { settle } = useTimekeeper(attempt.assignmentId, EXAM);
  const dialog = useRef<HTMLDialogElement>(null);
  const headings = useRef(new Map<number, HTMLHeadingElement | null>());

  const { items } = attempt;
  const all = attempt.presentation === 'ALL';
  const last = items.length - 1;
  const answerOf = (item: Item): readonly string[] => chosen.get(item.key) ?? [];
  const isDone = (item: Item): boolean => isAnswered(item, answerOf(item));
  const show = (at: number): void => {
    setIndex(at);
    // In the page that is shown next, its heading has this place.
    headings.current.get(all ? at : 0)?.focus();
  };
  const questionAt = (at: number, key: number) => {
    const item = items[at]!;
    return (
      <Question
        key={all ? item.key : 'one'}
        heading={(heading) => {
          headings.current.set(key, heading);
        }}
        title={t.question(at + 1, items.length)}
        item={item}
        // On one page a story is told once, before the first question about it.
        withStory={!all || item.vignette?.key !== items[at - 1]?.vignette?.key}
        chosen={answerOf(item)}
        choose={(next) => {
          setChosen(new Map(chosen).set(item.key, next));
          save(item.key, next);
        }}
      >
        {!all && (
          <div className="row spread">
            <button type="button" className="second" disabled={at === 0} onClick={() => show(at - 1)}>
              {t.previous}
            </button>
            <button type="button" onClick={() => (at < last ? show(at + 1) : dialog.current?.showModal())}>
              {at < last ? t.next : t.submit}
            </button>
          </div>
        )}
      </Question>
    );
  };

  return (
    <div className="sitting">
      <Title text={t.exam}>{t.exam}</Title>
      <div className="sitting-bar" data-stays>
        <Countdown deadline={attempt.deadline} over={reload} />
        <SavingLine state={saving} />
      </div>
      {all ? items.map((_item, at) => questionAt(at, at)) : questionAt(index, 0)}
      <nav className="overview" aria-label={t.overview}>
        {items.map((item, at) => (
          <button
            type="button"
            key={item.key}
            className={isDone(item) ? 'dot answered' : 'dot'}
            aria-current={!all && at === index ? 'step' : undefined}
            aria-label={`${t.question(at + 1, items.length)}: ${isDone(item) ? t.answered : t.unanswered}`}
            onClick={() => show(at)}
          >
            {at + 1}
          </button>
        ))}
        {(all || index < last) && (
          <button
            type="button"
            className={all ? 'submit' : 'second submit'}
            onClick={() => dialog.current?.showModal()}
          >
            {t.submit}
          </button>
        )}
      </nav>
      <SubmitDialog
        ref={dialog}
        attemptId={attempt.id}
        unanswered={items.flatMap((item, at) => (isDone(item) ? [] : [at + 1]))}
        settled={async () => {
          // An answer still on its way would come too late.
          await settled();
          // The certificate states the hours there are when the exam is passed.
          await settle();
        }}
        done={reload}
      />
    </div>
  );
}
