import { hashSecret } from '../access/access-token.ts';
import type { Clock } from '../clock.ts';
import type { CourseVersion } from '../courses/course.ts';
import type { Language } from '../courses/language.ts';
import type { CourseService } from '../courses/course.service.ts';
import { inPart } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import type { Seal } from '../people/sealing.ts';
import { itemOf, MOST_ITEMS, readChoice, selectionClaims, type DeepLinking } from './deep-link.ts';
import { framesOf } from './frames.ts';
import type { LtiKeyService } from './key.service.ts';
import { LaunchRefused } from './refused.ts';
import type { LtiRegistration } from './registration.ts';
import { deleteSelections, insertSelection, takeSelection } from './selection.repository.ts';

/** For somebody who is called away while they choose. */
const SELECTION_HOURS = 2;

/** What the form answers. */
export interface Selected {
  readonly code: string;
  /** `course` or `course/module`. */
  readonly chosen: readonly string[];
  readonly columns: boolean;
  readonly language: Language;
}

export type LtiSelectionService = ReturnType<typeof makeLtiSelectionService>;

/**
 * Deep links (Deep Linking 2.0): somebody chooses, and the platform is answered with a signed list. It needs nobody's account: courses are open
 * material, and what is chosen is the platform's to put somewhere.
 */
export function makeLtiSelectionService({
  db,
  clock,
  random,
  publicUrl,
  seal,
  keys,
  courses,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  /** Of what the platform sent. */
  seal: Seal;
  keys: LtiKeyService;
  courses: CourseService;
}) {
  const secretText = (): string => Buffer.from(random(32)).toString('base64url');
  const service = {
    /** Begins one, of a request that is right. @returns the code by which it is answered. */
    async begin(
      registration: LtiRegistration,
      asked: DeepLinking,
    ): Promise<{ code: string; courses: readonly CourseVersion[] }> {
      const code = secretText();
      await insertSelection(db, {
        codeHash: hashSecret(code),
        registrationId: registration.id,
        sealed: seal.seal(JSON.stringify(asked), 'lti-selection'),
        expiresAt: new Date(clock.now().getTime() + SELECTION_HOURS * 3_600_000),
      });
      return { code, courses: await courses.listCurrent() };
    },

    /**
     * What the browser is to post to the platform, once. An empty choice says that nothing was chosen.
     * @throws LaunchRefused
     */
    async answer({
      code,
      chosen,
      columns,
      language,
    }: Selected): Promise<{ returnUrl: string; token: string; frames: readonly string[] }> {
      if (chosen.length > MOST_ITEMS) throw new LaunchRefused('choice-wrong', 'too many');
      // Before it is taken, so that a form which can't be read may be sent again.
      const choices = [...new Set(chosen)].map(readChoice);
      if (choices.includes(undefined)) throw new LaunchRefused('choice-wrong', 'malformed');
      const current = await courses.listCurrent();
      const taken = await takeSelection(db, hashSecret(code), clock.now());
      if (taken === undefined) throw new LaunchRefused('selection-over');
      const asked = JSON.parse(seal.open(taken.sealed, 'lti-selection').toString()) as DeepLinking;
      if (choices.length > 1 && !asked.multiple) throw new LaunchRefused('choice-wrong', 'several');
      const items = choices.map((choice) =>
        itemOf(choice!, {
          courses: current,
          asked,
          columns,
          language,
          launchUrl: `${publicUrl}/lti/launch`,
        }),
      );
      if (items.includes(undefined)) throw new LaunchRefused('choice-wrong', 'unknown');
      const { registration } = taken;
      const token = await keys.sign(
        selectionClaims(asked, items as Record<string, unknown>[], {
          issuer: registration.issuer,
          clientId: registration.clientId,
          second: Math.floor(clock.now().getTime() / 1000),
          nonce: secretText(),
        }),
      );
      return { returnUrl: asked.returnUrl, token, frames: framesOf(registration) };
    },

    /** The worker's part. */
    forget: async (): Promise<void> => deleteSelections(db, clock.now()),
  };
  return inPart('gate', service);
}
