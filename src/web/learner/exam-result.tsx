import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { request } from '../graphql.ts';
import { formatTime, useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { CertificateCard } from './certificate-card.tsx';
import type { Attempt } from './exam-room.tsx';
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
            : t.resultFailed(percent, assignment?.exam.passMark ?? 0)}
        </p>
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
      <p className="lead">{t.reviewHint}</p>
      <ol className="review">
        {attempt.items.map((item, index) => (
          <li key={item.key} className="card">
            <p className={`state ${item.correct === true ? 'state-valid' : 'state-revoked'}`}>
              {t.question(index + 1, attempt.items.length)} ·{' '}
              {item.correct === true ? t.right : (item.points ?? 0) > 0 ? t.partly : t.wrong}
            </p>
            <p className="stem">{item.stem}</p>
            <ul className="options">
              {item.options.map((option) => (
                <li key={option.key} className={option.isRight === true ? 'option right' : 'option'}>
                  <span>
                    {option.isRight === true && <Icon name="check" />}
                    {option.text}
                    {option.isRight === true && <strong className="tag">{t.rightAnswer}</strong>}
                    {item.chosen.includes(option.key) && <strong className="tag mine">{t.yourAnswer}</strong>}
                  </span>
                  <span className="quiet">{option.rationale}</span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </>
  );
}
