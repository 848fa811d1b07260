import { useState } from 'react';
import { request, RequestFailed } from '../graphql.ts';
import { useLanguage } from '../language.tsx';
import { Title } from '../parts/page.tsx';
import { AgreeToPackage } from './queries.ts';

const META = 'meta[name="xinqiao-package"]';
const KEPT = 'xinqiao-package';

export interface Opened {
  readonly code: string;
  readonly course: string;
  readonly origin: string;
}

/** The page of a course package that has opened this window; it survives a sign-in elsewhere. */
export function openedByPackage(): Opened | undefined {
  const meta = document.querySelector<HTMLMetaElement>(META);
  try {
    if (meta !== null) sessionStorage.setItem(KEPT, meta.content);
  } catch {
    // Without storage it lasts as long as this page.
  }
  let said = meta?.content;
  try {
    said ??= sessionStorage.getItem(KEPT) ?? undefined;
  } catch {
    said = undefined;
  }
  const [code, course, origin = ''] = said?.split(' ') ?? [];
  return code === undefined || course === undefined ? undefined : { code, course, origin };
}

function forget(): void {
  document.querySelector(META)?.remove();
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // There is none.
  }
}

/** Asks before anything is told: whoever made the page that opened this window will know the result. */
export function PackageAgree({ opened, go }: { opened: Opened; go: (path: string) => void }) {
  const { t } = useLanguage();
  const [said, setSaid] = useState<string>();
  const leave = (path: string): void => {
    forget();
    go(path);
  };
  const agree = async (): Promise<void> => {
    try {
      const { agreeToPackage } = await request(AgreeToPackage, {
        input: { ...opened, origin: opened.origin === '' ? null : opened.origin },
      });
      if (agreeToPackage.__typename === 'AgreeToPackagePayload')
        leave(`/assignments/${encodeURIComponent(agreeToPackage.assignmentId)}`);
      else
        setSaid(
          agreeToPackage.code === 'NOT_FOUND'
            ? t.coursePackage.notAssigned
            : (t.refusal[agreeToPackage.code] ?? agreeToPackage.message),
        );
    } catch (error) {
      setSaid(error instanceof RequestFailed && error.code === 'OFFLINE' ? t.offline : String(error));
    }
  };
  return (
    <section className="card">
      <Title text={t.coursePackage.title}>{t.coursePackage.title}</Title>
      <p>{t.coursePackage.text(opened.origin === '' ? t.coursePackage.somewhere : opened.origin)}</p>
      <p className="row">
        <button type="button" onClick={() => void agree()}>
          {t.coursePackage.agree}
        </button>
        <button type="button" className="second" onClick={() => leave('/')}>
          {t.coursePackage.decline}
        </button>
      </p>
      {said !== undefined && <p role="alert">{said}</p>}
    </section>
  );
}
