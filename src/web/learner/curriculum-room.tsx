import { Link } from 'wouter';
import { request, type ResultOf } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Failed, Loading, Title } from '../parts/page.tsx';
import { useQuery } from '../parts/use-query.ts';
import { CurriculumPage } from './queries.ts';

type Course = ResultOf<typeof CurriculumPage>['courses'][number];
type Role = Course['audience'][number];

/** What there is to learn, by role and by course: for whoever plans, to print and take along. Public, as courses are. */
export function CurriculumRoom() {
  const { t, code } = useLanguage();
  const words = t.curriculum;
  const page = useQuery(async () => (await request(CurriculumPage, { language: code })).courses, code);
  if (page.status === 'loading') return <Loading />;
  if (page.status === 'failed')
    return <Failed code={page.error.code} message={page.error.message} retry={page.reload} />;
  const courses = page.data;
  const roles = (Object.keys(t.role) as Role[]).filter((role) =>
    courses.some(({ audience }) => audience.includes(role)),
  );
  return (
    <div className="curriculum">
      <Link href="/" className="back screen-only">
        ← {t.back}
      </Link>
      <Title text={words.title}>{words.title}</Title>
      <p className="lead">{words.lead}</p>
      <section aria-labelledby="by-role">
        <h2 id="by-role">{words.byRole}</h2>
        <ul className="roles">
          {roles.map((role) => {
            const own = courses.filter(({ audience }) => audience.includes(role));
            return (
              <li key={role} className="card">
                <h3>{t.role[role]}</h3>
                <p className="quiet">
                  {words.sum(
                    own.length,
                    own.reduce((sum, { classHours }) => sum + classHours, 0),
                  )}
                </p>
                <ul>
                  {own.map((course) => (
                    <li key={course.slug}>
                      <a href={`#${course.slug}`}>{course.title}</a>{' '}
                      <span className="quiet">{t.classHours(course.classHours)}</span>
                    </li>
                  ))}
                </ul>
              </li>
            );
          })}
        </ul>
      </section>
      <section aria-labelledby="by-course">
        <h2 id="by-course">{words.byCourse}</h2>
        {courses.map((course) => (
          <CourseCard key={course.slug} course={course} />
        ))}
      </section>
    </div>
  );
}

function CourseCard({ course }: { course: Course }) {
  const { t } = useLanguage();
  const words = t.curriculum;
  const activities = course.modules.flatMap((module) => module.activities);
  const conversations = activities.filter(({ kind }) => kind === 'SIMULATION').length;
  return (
    <article className="card" id={course.slug} aria-labelledby={`${course.slug}-title`}>
      <h3 id={`${course.slug}-title`}>{course.title}</h3>
      <p>{course.summary}</p>
      <dl>
        <dt>{words.roles}</dt>
        <dd>{course.audience.map((role) => t.role[role]).join(words.comma)}</dd>
        <dt>{words.hours}</dt>
        <dd>{t.classHours(course.classHours)}</dd>
        <dt>{words.modules}</dt>
        <dd>
          {course.modules.map(({ title }) => title).join(words.comma)}
          <span className="quiet"> {words.activities(activities.length, conversations)}</span>
        </dd>
        <dt>{words.competencies}</dt>
        <dd>
          <ul>
            {course.competencies.map(({ key, title }) => (
              <li key={key}>{title}</li>
            ))}
          </ul>
        </dd>
        <dt>{words.exam}</dt>
        <dd>{words.drawn(course.itemsPerAttempt, course.itemsInBank)}</dd>
        <dt>{words.languages}</dt>
        <dd>{course.languages.map((each) => words.language[each]).join(words.comma)}</dd>
        <dt>{words.review}</dt>
        <dd>
          <span className={course.review.state === 'REVIEWED' ? 'state state-valid' : 'state state-expired'}>
            {course.review.text}
          </span>
        </dd>
        <dt>{t.pack.title}</dt>
        <dd>
          {course.pack.length === 0 ? (
            words.noPack
          ) : (
            <ul>
              {course.pack.map(({ key, title, url }) => (
                <li key={key}>
                  <a href={url}>{title}</a>
                </li>
              ))}
            </ul>
          )}
        </dd>
      </dl>
      <p className="quiet">{words.version(course.version)}</p>
    </article>
  );
}
