import { useLanguage } from '../language.tsx';
import { Title } from '../parts/page.tsx';

/** A launch that came too late, or was shown again. */
export function LaunchOver() {
  const { t } = useLanguage();
  return (
    <div className="card notice" role="alert">
      <Title text={t.launchOver}>{t.launchOver}</Title>
      <p>{t.launchOverHint}</p>
    </div>
  );
}

/** The platform's link leads to a course that the person has no assignment of. */
export function NotAssigned({ course }: { course: string }) {
  const { t } = useLanguage();
  return (
    <div className="card notice" role="status">
      <p>
        <strong>{t.launchNotAssigned(course)}</strong>
      </p>
      <p>{t.launchNotAssignedHint}</p>
    </div>
  );
}
