import { useEffect } from 'react';
import { Link } from 'wouter';
import { request, type ResultOf } from '../graphql.ts';
import { formatDay, useLanguage } from '../language.tsx';
import { Failed, Loading, ProgressBar, Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { CertificateCard } from './certificate-card.tsx';
import { EfficacyOffer } from './efficacy-offer.tsx';
import { Home } from './queries.ts';

type Assignment = NonNullable<ResultOf<typeof Home>['viewer']>['assignments'][number];

export function HomeRoom({ ended }: { ended: () => void }) {
  const { t, code } = useLanguage();
  const home = useQuery(async () => (await request(Home, { language: code })).viewer, code);
  const over = home.status === 'ready' && home.data === null;
  useEffect(() => {
    if (over) ended();
  }, [over, ended]);
  if (home.status === 'loading') return <Loading />;
  if (home.status === 'failed')
    return <Failed code={home.error.code} message={home.error.message} retry={home.reload} />;
  if (home.data === null) return <Loading />;
  const { person, posts, assignments, certificates } = home.data;
  return (
    <>
      <Title text={t.myCourses}>{t.hello(person.name)}</Title>
      {posts.length > 0 && (
        <p className="lead">{[...new Set(posts.map((post) => post.organization.name))].join(' · ')}</p>
      )}
      {assignments.map(
        // The time before is offered where the course is opened.
        ({ id, course, efficacy }) =>
          efficacy?.due?.wave !== 'BEFORE' && (
            <EfficacyOffer key={id} assignmentId={id} course={course.title} due={efficacy?.due} />
          ),
      )}
      <h2>{t.myCourses}</h2>
      {assignments.length === 0 ? (
        <div className="card notice">
          <p>{t.noAssignments}</p>
          <p className="quiet">{t.noAssignmentsHint}</p>
        </div>
      ) : (
        <ul className="cards">
          {assignments.map((assignment) => (
            <li key={assignment.id}>
              <AssignmentCard assignment={assignment} />
            </li>
          ))}
        </ul>
      )}
      {certificates.length > 0 && (
        <>
          <h2>{t.myCertificates}</h2>
          <ul className="cards">
            {certificates.map((certificate) => (
              <li key={certificate.id}>
                <CertificateCard certificate={certificate} title={certificate.title} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function AssignmentCard({ assignment }: { assignment: Assignment }) {
  const { t, language } = useLanguage();
  const { state, course, certification, dueOn, renews, activities } = assignment;
  const done = activities.filter((activity) => activity.state === 'COMPLETED').length;
  const held = state === 'CERTIFIED' || state === 'EXPIRED' || state === 'REVOKED';
  const action = {
    ASSIGNED: t.start,
    LEARNING: t.goOn,
    EXAM_OPEN: t.toExam,
    HOURS_OPEN: t.goOn,
    PASSED: t.openCourse,
    CERTIFIED: t.openCourse,
    EXPIRED: t.openCourse,
    REVOKED: t.openCourse,
  }[state];
  return (
    <article className="card">
      <p className={`state state-${state.toLowerCase()}`}>{t.state[state]}</p>
      <h3>{course.title}</h3>
      <p className="quiet">
        {certification.title} · {t.classHours(course.classHours)}
        {dueOn !== null && !held && ` · ${t.due(formatDay(dueOn, language))}`}
      </p>
      {typeof renews?.validUntil === 'string' && !held && (
        <p className="quiet">{t.renews(formatDay(renews.validUntil, language))}</p>
      )}
      <ProgressBar value={done} max={activities.length} label={t.progress(done, activities.length)} />
      <p className="quiet">{t.progress(done, activities.length)}</p>
      <Link
        href={`/assignments/${encodeURIComponent(assignment.id)}`}
        className={held ? 'button second' : 'button'}
      >
        {action}
      </Link>
    </article>
  );
}
