import { keepSession, request } from '../graphql.ts';
import type { LanguageCode } from '../language.tsx';
import { RenewLaunchedSession } from './queries.ts';

const META = 'meta[name="xinqiao-launch"]';
const RENEW_MS = 30 * 60_000;

/** Where a launch from a learning platform leads, and the course that it wanted where that is not assigned. */
export interface Launched {
  readonly path: string;
  readonly missingCourse: string | null;
}

/** What the service has written into the page (`src/http/lti.ts`). */
interface Given {
  readonly token: string;
  readonly assignmentId: string | null;
  readonly activityKey: string | null;
  readonly missingCourse: Readonly<Record<LanguageCode, string>> | null;
}

let launched: Launched | undefined;

/** Whether the service gave this page to a launch. */
export function isLaunch(): boolean {
  return launched !== undefined || document.querySelector(META) !== null;
}

/** Takes the launch with its session out of the page, once however often it is called: React looks twice in development. */
export function takeLaunch(language: LanguageCode): Launched {
  launched ??= take(language);
  return launched;
}

function take(language: LanguageCode): Launched {
  const meta = document.querySelector<HTMLMetaElement>(META)!;
  const { token, assignmentId, activityKey, missingCourse } = JSON.parse(meta.content) as Given;
  meta.remove();
  keepSession(token);
  keepAlive();
  const course = assignmentId === null ? '/' : `/assignments/${encodeURIComponent(assignmentId)}`;
  return {
    path:
      assignmentId === null || activityKey === null
        ? course
        : `${course}/activities/${encodeURIComponent(activityKey)}`,
    missingCourse: missingCourse?.[language] ?? null,
  };
}

/** While the page is there and seen, its session is renewed in the background; whoever left it lying is signed out as anywhere. */
function keepAlive(): void {
  setInterval(() => {
    if (document.visibilityState === 'visible') void request(RenewLaunchedSession).catch(() => undefined);
  }, RENEW_MS);
}
