import { useLanguage } from '../language.tsx';

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
