import { useEffect, useState } from 'react';
import { request, RequestFailed, type ResultOf } from '../graphql.ts';
import { formatTime, useLanguage } from '../language.tsx';
import { SendGradeAgain, type AssignmentPage } from './queries.ts';

type Grade = Extract<
  NonNullable<ResultOf<typeof AssignmentPage>['node']>,
  { __typename: 'Assignment' }
>['platformGrades'][number];

const LOOK_MS = 2_000;
/** A platform that takes longer than this is looked at again when the page is. */
const MOST_LOOKS = 15;

/** What the school's platforms know of this course, and since when. */
export function PlatformGrades({ grades, reload }: { grades: readonly Grade[]; reload: () => void }) {
  const { t } = useLanguage();
  const [looks, setLooks] = useState(0);
  const waits = grades.some(({ state }) => state === 'WAITING');
  useEffect(() => {
    if (!waits || looks >= MOST_LOOKS) return;
    const timer = setTimeout(() => {
      setLooks(looks + 1);
      reload();
    }, LOOK_MS);
    return () => clearTimeout(timer);
  }, [waits, looks, reload]);
  if (grades.length === 0) return null;
  return (
    <section className="card" aria-labelledby="platform-grades">
      <h2 id="platform-grades">{t.platformGrades.title}</h2>
      <ul className="shortfalls">
        {grades.map((grade) => (
          <Told
            key={grade.id}
            grade={grade}
            reload={() => {
              setLooks(0);
              reload();
            }}
          />
        ))}
      </ul>
    </section>
  );
}

function Told({ grade, reload }: { grade: Grade; reload: () => void }) {
  const { t, language } = useLanguage();
  const [said, setSaid] = useState<string>();
  const where = [grade.platformName, grade.contextTitle, grade.linkTitle]
    .filter((each) => each !== null)
    .join(' · ');
  const again = async (): Promise<void> => {
    try {
      const { sendLtiGradeAgain } = await request(SendGradeAgain, { id: grade.id });
      if (sendLtiGradeAgain.__typename === 'SendLtiGradeAgainPayload') reload();
      else setSaid(t.refusal[sendLtiGradeAgain.code] ?? sendLtiGradeAgain.message);
    } catch (error) {
      setSaid(error instanceof RequestFailed && error.code === 'OFFLINE' ? t.offline : String(error));
    }
  };
  return (
    <li>
      <strong>{where}</strong>
      <br />
      <span role="status">
        {grade.state === 'SENT'
          ? t.platformGrades.sent(formatTime(grade.sentAt!, language), grade.score)
          : t.platformGrades.state[grade.state]}
        {grade.state === 'LATE' &&
          grade.retryAt !== null &&
          ` ${t.platformGrades.retry(formatTime(grade.retryAt, language))}`}
      </span>{' '}
      {grade.state !== 'WAITING' && (
        <button
          type="button"
          className="plain"
          aria-label={`${t.platformGrades.again}: ${where}`}
          onClick={() => void again()}
        >
          {t.platformGrades.again}
        </button>
      )}
      {said !== undefined && <p role="alert">{said}</p>}
    </li>
  );
}
