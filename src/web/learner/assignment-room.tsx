import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { request, RequestFailed, type ResultOf } from '../graphql.ts';
import { formatDay, formatTime, useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Failed, Loading, ProgressBar, Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { Said } from '../parts/said.tsx';
import { CertificateCard } from './certificate-card.tsx';
import { EfficacyOffer } from './efficacy-offer.tsx';
import { NotFound } from './not-found.tsx';
import { PlatformGrades } from './platform-grades.tsx';
import { AssignmentPage, StartAttempt } from './queries.ts';

type Assignment = Extract<NonNullable<ResultOf<typeof AssignmentPage>['node']>, { __typename: 'Assignment' }>;

export function AssignmentRoom({ id }: { id: string }) {
  const { t, code, language } = useLanguage();
  const page = useQuery(
    async () => (await request(AssignmentPage, { id, language: code })).node,
    `${id} ${code}`,
  );
  const passed =
    page.status === 'ready' && page.data?.__typename === 'Assignment' && page.data.state === 'PASSED';
  const { reload } = page;
  useEffect(() => {
    if (!passed) return;
    const timer = setInterval(reload, 1_500);
    return () => clearInterval(timer);
  }, [passed, reload]);
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  if (page.data?.__typename !== 'Assignment') return <NotFound />;
  const assignment = page.data;
  const { course, activities, certificate } = assignment;
  const states = new Map(activities.map((each) => [each.activity.key, each.state]));
  const done = activities.filter((each) => each.state === 'COMPLETED').length;
  return (
    <>
      <Link href="/" className="back">
        ← {t.back}
      </Link>
      <Title text={course.title}>{course.title}</Title>
      <p className="lead">{course.summary}</p>
      {!course.languages.includes(code) && <p className="notice">{t.inChinese}</p>}
      <p className="quiet">
        {assignment.certification.title} · {t.classHours(course.classHours)}
        {assignment.dueOn !== null &&
          certificate === null &&
          ` · ${t.due(formatDay(assignment.dueOn, language))}`}
      </p>
      {typeof assignment.renews?.validUntil === 'string' && certificate === null && (
        <p className="quiet">{t.renews(formatDay(assignment.renews.validUntil, language))}</p>
      )}
      <p className="quiet">{course.review.text}</p>
      <p className="quiet">
        {t.hoursSoFar(assignment.time.classHours, course.classHours)}{' '}
        <Link href="/about-time">{t.aboutTimeLink}</Link>
      </p>
      {certificate !== null && <CertificateCard certificate={certificate} />}
      <EfficacyOffer assignmentId={assignment.id} due={assignment.efficacy?.due} />
      <ProgressBar value={done} max={activities.length} label={t.progress(done, activities.length)} />
      <p className="quiet">{t.progress(done, activities.length)}</p>
      {course.modules.map((module) => (
        <section className="card" key={module.key}>
          <h2>{module.title}</h2>
          <p className="quiet">{module.summary}</p>
          <ol className="activities">
            {module.activities.map((activity) => {
              const state = states.get(activity.key) ?? 'NOT_STARTED';
              return (
                <li key={activity.key}>
                  <Link
                    href={`/assignments/${encodeURIComponent(assignment.id)}/activities/${activity.key}`}
                    className={`activity ${state.toLowerCase()}`}
                  >
                    <span className="tick" aria-hidden="true">
                      <Icon
                        name={state === 'COMPLETED' ? 'check' : state === 'STARTED' ? 'half' : 'circle'}
                      />
                    </span>
                    <span className="name">{activity.title}</span>
                    <span className="quiet">
                      {t.activity[state]} · {t.minutes(activity.minutes)}
                    </span>
                  </Link>
                </li>
              );
            })}
          </ol>
        </section>
      ))}
      <ExamPanel assignment={assignment} />
      {course.pack.length > 0 && (
        <section className="card">
          <h2>{t.pack.title}</h2>
          <p className="quiet">{t.pack.hint}</p>
          <ul>
            {course.pack.map(({ key, title, url }) => (
              <li key={key}>
                {/* Beside the course, and not instead of it. */}
                <a
                  href={url}
                  target="_blank"
                  rel="noreferrer"
                  lang={course.languages.includes(code) ? undefined : 'zh-CN'}
                >
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {assignment.efficacy !== null &&
        (assignment.efficacy.given.length > 0 || assignment.efficacy.due?.declined === true) && (
          <p>
            <Link href={`/assignments/${encodeURIComponent(assignment.id)}/confidence`}>
              <Said in={assignment.efficacy.scale.language}>{assignment.efficacy.scale.title}</Said>
            </Link>
          </p>
        )}
      <PlatformGrades grades={assignment.platformGrades} reload={reload} />
      <Flags flags={assignment.time.flags} />
      {certificate === null && (
        <section className="card">
          <h2>{assignment.shortfalls.length === 0 ? t.certificate : t.missing}</h2>
          {assignment.shortfalls.length === 0 ? (
            <p role="status">
              {t.nothingMissing} {t.preparing}
            </p>
          ) : (
            <ul className="shortfalls">
              {assignment.shortfalls.map((shortfall) => (
                <li key={shortfall.text}>{shortfall.text}</li>
              ))}
            </ul>
          )}
        </section>
      )}
    </>
  );
}

/** What looked odd is told to whom it is about, with what came of it. */
function Flags({ flags }: { flags: Assignment['time']['flags'] }) {
  const { t } = useLanguage();
  if (flags.length === 0) return null;
  return (
    <section className="card">
      <h2>{t.flags}</h2>
      <p className="quiet">{t.flagsHint}</p>
      <ul className="shortfalls">
        {flags.map((flag) => (
          <li key={flag.id}>
            {flag.text} · {t.flagState[flag.state]}
            {flag.note !== null && <span className="quiet"> {flag.note}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function ExamPanel({ assignment }: { assignment: Assignment }) {
  const { t, language } = useLanguage();
  const [, go] = useLocation();
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const { exam } = assignment;
  const start = async (): Promise<void> => {
    setBusy(true);
    try {
      const { startAttempt } = await request(StartAttempt, { id: assignment.id });
      if (startAttempt.__typename === 'StartAttemptPayload')
        go(`/attempts/${encodeURIComponent(startAttempt.attempt.id)}`);
      else setRefusal(t.refusal[startAttempt.code] ?? startAttempt.message);
    } catch (error) {
      setRefusal(error instanceof RequestFailed && error.code === 'OFFLINE' ? t.offline : String(error));
    }
    setBusy(false);
  };
  const blocked = exam.blockedBy;
  return (
    <section className="card exam">
      <h2>{t.exam}</h2>
      <p>{t.examRules(exam.itemsPerAttempt, exam.minutes + exam.extraMinutes, exam.passMark)}</p>
      {exam.extraMinutes > 0 && <p className="notice">{t.examExtra(exam.extraMinutes)}</p>}
      <p className="quiet">{t.examResit(exam.attemptsAllowed, exam.resitAfterHours)}</p>
      {exam.attempts.length > 0 && (
        <ul className="attempts">
          {exam.attempts
            .filter((attempt) => attempt.state === 'GRADED')
            .map((attempt) => (
              <li key={attempt.id}>
                {t.attempt(attempt.number)} · {attempt.percent} ·{' '}
                {attempt.passed === true ? t.passed : t.notPassed}{' '}
                <Link href={`/attempts/${encodeURIComponent(attempt.id)}`}>{t.seeResult}</Link>
              </li>
            ))}
        </ul>
      )}
      {exam.openAttempt !== null ? (
        <Link className="button" href={`/attempts/${encodeURIComponent(exam.openAttempt.id)}`}>
          {t.goOnExam}
        </Link>
      ) : blocked === null ? (
        <button type="button" disabled={busy} onClick={() => void start()}>
          {t.startExam}
        </button>
      ) : (
        blocked.code !== 'ALREADY_PASSED' && (
          <p className="notice">
            {blocked.code === 'RESIT_TOO_EARLY' && blocked.retryAt !== null
              ? t.resitAt(formatTime(blocked.retryAt, language))
              : (t.refusal[blocked.code] ?? blocked.message)}
          </p>
        )
      )}
      {refusal !== undefined && (
        <p role="alert" className="notice bad">
          {refusal}
        </p>
      )}
    </section>
  );
}
