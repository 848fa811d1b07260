import { keepSession, request } from '../graphql.ts';
import type { LanguageCode } from '../language.tsx';
import { RedeemLaunch, RenewLaunchedSession } from './queries.ts';

const META = 'meta[name="xinqiao-launch"]';
const RENEW_MS = 30 * 60_000;

/** Where a launch from a learning platform leads, and the course that it wanted where that is not assigned. */
export interface Launched {
  readonly path: string;
  readonly missingCourse: string | null;
}

let pending: Promise<Launched | undefined> | undefined;

/** Whether the service gave this page to a launch. */
export function isLaunch(): boolean {
  return pending !== undefined || document.querySelector(META) !== null;
}

/**
 * Takes the launch's code out of the page and gets its session, once however often it is called: React looks twice in development.
 * undefined: it is over.
 */
export async function takeLaunch(language: LanguageCode): Promise<Launched | undefined> {
  pending ??= redeem(language);
  return pending;
}

async function redeem(language: LanguageCode): Promise<Launched | undefined> {
  const meta = document.querySelector<HTMLMetaElement>(META);
  const code = meta?.content ?? '';
  meta?.remove();
  try {
    const { redeemLaunch } = await request(RedeemLaunch, { code, language });
    if (redeemLaunch.__typename !== 'RedeemLaunchPayload') return undefined;
    const { token, assignmentId, activityKey, missingCourse } = redeemLaunch;
    keepSession(token);
    keepAlive();
    const course = assignmentId === null ? '/' : `/assignments/${encodeURIComponent(assignmentId)}`;
    return {
      path:
        assignmentId === null || activityKey === null
          ? course
          : `${course}/activities/${encodeURIComponent(activityKey)}`,
      missingCourse,
    };
  } catch {
    return undefined;
  }
}

/** While the page is there and seen, its session is renewed in the background; whoever left it lying is signed out as anywhere. */
function keepAlive(): void {
  setInterval(() => {
    if (document.visibilityState === 'visible') void request(RenewLaunchedSession).catch(() => undefined);
  }, RENEW_MS);
}
