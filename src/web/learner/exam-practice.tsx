import { useEffect, useRef, useState } from 'react';
import { request } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Failed, Loading } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { isAnswered, type Item } from './exam-answer.tsx';
import { Question } from './exam-question.tsx';
import { Review } from './exam-review.tsx';
import { CheckPractice, PracticeItems } from './queries.ts';

/** A few questions of one competency, each answered at once with what is right; nothing of it is kept. */
export function Practice({ attemptId, competency }: { attemptId: string; competency: string }) {
  const { t, code } = useLanguage();
  const [round, setRound] = useState(0);
  const heading = useRef<HTMLHeadingElement>(null);
  const page = useQuery(async () => {
    const { node } = await request(PracticeItems, { id: attemptId, competency, round, language: code });
    return node?.__typename === 'Attempt' ? node.practice : [];
  }, `${attemptId} ${competency} ${round} ${code}`);
  const isReady = page.status === 'ready';
  useEffect(() => {
    if (isReady) heading.current?.focus();
  }, [isReady]);
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  if (page.data.length === 0) return <p className="quiet">{t.practiceNone}</p>;
  return (
    <div className="practice">
      {page.data.map((item, at) => (
        <PracticeQuestion
          key={`${round} ${item.key}`}
          attemptId={attemptId}
          item={item}
          title={t.question(at + 1, page.data.length)}
          {...(at === 0 ? { heading } : {})}
        />
      ))}
      <button type="button" className="second" onClick={() => setRound(round + 1)}>
        {t.practiceMore}
      </button>
    </div>
  );
}

function PracticeQuestion({
  attemptId,
  item,
  title,
  heading,
}: {
  attemptId: string;
  item: Item;
  title: string;
  heading?: React.Ref<HTMLHeadingElement>;
}) {
  const { t, code } = useLanguage();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [checked, setChecked] = useState<Item>();
  const [failure, setFailure] = useState<string>();
  const review = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (checked !== undefined) review.current?.focus();
  }, [checked]);
  const check = async (): Promise<void> => {
    try {
      setFailure(undefined);
      const { checkPractice } = await request(CheckPractice, {
        input: { attemptId, itemKey: item.key, chosen: [...chosen] },
        language: code,
      });
      if (checkPractice.__typename === 'CheckPracticePayload') setChecked(checkPractice.item);
      else setFailure(t.refusal[checkPractice.code] ?? checkPractice.message);
    } catch {
      setFailure(t.offline);
    }
  };
  if (checked !== undefined)
    return (
      <div className="card" ref={review} tabIndex={-1}>
        <Review item={checked} title={title} />
      </div>
    );
  return (
    <Question
      item={item}
      title={title}
      chosen={chosen}
      choose={setChosen}
      {...(heading === undefined ? {} : { heading })}
    >
      {failure !== undefined && <p role="alert">{failure}</p>}
      <div className="row">
        <button type="button" disabled={!isAnswered(item, chosen)} onClick={() => void check()}>
          {t.practiceCheck}
        </button>
      </div>
    </Question>
  );
}
