import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { request } from '../graphql.ts';
import { formatTime, useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { CertificateCard } from './certificate-card.tsx';
import type { Attempt } from './exam-room.tsx';
import { Practice } from './exam-practice.tsx';
import { Review } from './exam-review.tsx';
import { AfterAttempt } from './queries.ts';

export function ExamResult({ attempt }: { attempt: Attempt }) {
  const { t, code, language } = useLanguage();
  const after = useQuery(
    async () => (await request(AfterAttempt, { id: attempt.assignmentId, language: code })).node,
    `${attempt.assignmentId} ${code}`,
  );
  const assignment =
    after.status === 'ready' && after.data?.__typename === 'Assignment' ? after.data : undefined;
  const lacking = attempt.passed === true && assignment?.certificate === null ? assignment.shortfalls : [];
  const waiting = attempt.passed === true && assignment?.certificate === null && lacking.length === 0;
  const [asked, setAsked] = useState(0);
  const { reload } = after;
  useEffect(() => {
    if (!waiting) return;
    const timer = setTimeout(
      () => {
        setAsked((before) => before + 1);
        reload();
      },
      asked < 30 ? 1_000 : 5_000,
    );
    return () => clearTimeout(timer);
  }, [waiting, asked, reload]);

  const percent = attempt.percent ?? 0;
  const passMark = assignment?.exam.passMark ?? 0;
  const missed = attempt.mustPassMissed ?? 0;
  const [practised, setPractised] = useState<string>();
  const retryAt = assignment?.exam.blockedBy?.retryAt ?? null;
  return (
    <>
      <Link href={`/assignments/${encodeURIComponent(attempt.assignmentId)}`} className="back">
        ← {t.toCourse}
      </Link>
      <Title text={t.result}>{t.result}</Title>
      <section className={attempt.passed === true ? 'card verdict good' : 'card verdict'}>
        <p className="big">
          <Icon name={attempt.passed === true ? 'check' : 'circle'} />{' '}
          {attempt.passed === true
            ? t.resultPassed(percent)
            : missed > 0 && percent >= passMark
              ? t.resultMustPass(percent)
              : t.resultFailed(percent, passMark)}
        </p>
        {missed > 0 && <p>{t.mustPassMissed(missed)}</p>}
        {attempt.passed !== true && retryAt !== null && <p>{t.resitAt(formatTime(retryAt, language))}</p>}
        {lacking.length > 0 && (
          <>
            <p>{t.missing}</p>
            <ul className="shortfalls">
              {lacking.map(({ text }) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </>
        )}
        {waiting && <p role="status">{asked < 30 ? t.preparing : t.preparingSlow}</p>}
      </section>
      {assignment?.certificate !== null && assignment !== undefined && (
        <CertificateCard certificate={assignment.certificate} />
      )}
      {attempt.competencies.length > 0 && (
        <section className="card">
          <h2>{t.byCompetency}</h2>
          <ul className="competencies">
            {attempt.competencies.map((each) => (
              <li key={each.key}>
                <span>
                  {each.title}
                  <strong className="figure">{t.percentOf(each.percent)}</strong>
                </span>
                {each.isWeak && practised !== each.key && (
                  <button type="button" className="second" onClick={() => setPractised(each.key)}>
                    {t.practise(each.title)}
                  </button>
                )}
                {practised === each.key && (
                  <>
                    <p className="quiet">{t.practiceHint}</p>
                    <Practice attemptId={attempt.id} competency={each.key} />
                  </>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      <p className="lead">{t.reviewHint}</p>
      <ol className="review">
        {attempt.items.map((item, index) => (
          <li key={item.key} className="card">
            <Review
              item={item}
              title={t.question(index + 1, attempt.items.length)}
              withStory={item.vignette?.key !== attempt.items[index - 1]?.vignette?.key}
            />
          </li>
        ))}
      </ol>
    </>
  );
}
