import { request } from '../graphql.ts';
import type { SavingState } from '../parts/saving.tsx';
import type { LanguageCode } from '../language.tsx';
import { RecordStatements, SaveUserState } from './queries.ts';

/** The session has ended: nothing more can be saved from this page. */
class SignedOut extends Error {
  override name = 'SignedOut';
}

/** The content says more than is taken; what it said waits. */
class TooMany extends Error {
  override name = 'TooMany';
  readonly waitMs: number;
  constructor(retryAt: string | undefined) {
    super();
    this.waitMs = retryAt === undefined ? 0 : Math.min(Date.parse(retryAt) - Date.now(), LONGEST_PAUSE_MS);
  }
}

/** A clock that is wrong must not stop it for a day. */
const LONGEST_PAUSE_MS = 120_000;
const BATCH_MS = 600;
const LONGEST_WAIT_MS = 30_000;
/** How often it is said that an activity is open which is done by time; the service takes longer pauses for pauses. */
const BEAT_MS = 60_000;
/** In one message, well below what the door takes; a statement by itself is refused when it is larger than 64 kB. */
const BATCH_CHARACTERS = 256 * 1024;
/** A content that says more than can be sent keeps its latest, and what has a result. */
const MOST_WAITING = 1_000;

/**
 * Carries what a player says to the service: statements in small batches, kept until they are acknowledged (a content says that
 * it was completed only once), and the newest state, one save at a time, over the version it was made from.
 */
export class PlayerSession {
  readonly #of: { assignmentId: string; activityKey: string; language: LanguageCode };
  readonly #tell: { saving: (state: SavingState) => void; completed: () => void };
  #version: number;
  #statements: object[] = [];
  #timed: boolean;
  #beats: ReturnType<typeof setInterval> | undefined;
  #state: string | undefined;
  #busy = false;
  #movedOn = false;
  #wait = BATCH_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    {
      version,
      timed,
      ...of
    }: {
      assignmentId: string;
      activityKey: string;
      language: LanguageCode;
      version: number;
      /** It is done by being open, so that is said even while the content says nothing. */
      timed: boolean;
    },
    tell: { saving: (state: SavingState) => void; completed: () => void },
  ) {
    this.#of = of;
    this.#version = version;
    this.#tell = tell;
    this.#timed = timed;
    if (timed) {
      this.#schedule(BATCH_MS);
      this.#beats = setInterval(() => {
        if (this.#timed && document.visibilityState === 'visible') this.#schedule(0);
      }, BEAT_MS);
    }
  }

  statement(statement: object): void {
    // With an id of its own a statement that is sent twice counts once.
    this.#statements.push('id' in statement ? statement : { id: crypto.randomUUID(), ...statement });
    if (this.#statements.length > MOST_WAITING) {
      const least = this.#statements.findIndex((each) => !('result' in each));
      this.#statements.splice(Math.max(0, least), 1);
    }
    this.#schedule(BATCH_MS);
  }

  state(data: string): void {
    this.#state = data;
    this.#schedule(BATCH_MS);
  }

  /** Sends what is left; the page may be on its way out. */
  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#beats);
    void this.#flush();
  }

  #schedule(wait: number): void {
    if (this.#timer !== undefined || this.#busy) return;
    this.#timer = setTimeout(() => void this.#flush(), wait);
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    if (this.#busy) return;
    this.#busy = true;
    this.#tell.saving('saving');
    try {
      for (let first = true; this.#statements.length > 0 || (first && this.#timed); first = false) {
        const batch = this.#nextBatch();
        const { recordStatements } = await request(RecordStatements, {
          input: { ...this.#of, statements: batch },
        });
        if (recordStatements.__typename === 'NotSignedIn') throw new SignedOut();
        if (recordStatements.__typename === 'Conflict')
          throw new TooMany(recordStatements.retryAt ?? undefined);
        const sent = new Set(batch);
        this.#statements = this.#statements.filter((each) => !sent.has(each));
        if (recordStatements.__typename !== 'RecordStatementsPayload') continue;
        const { state, secondsLeft } = recordStatements.progress;
        this.#timed = secondsLeft !== null;
        if (state === 'COMPLETED') this.#tell.completed();
      }
      await this.#saveState();
      this.#wait = BATCH_MS;
      this.#busy = false;
      this.#tell.saving(this.#movedOn ? 'moved-on' : 'saved');
      if (this.#statements.length > 0 || this.#state !== undefined) this.#schedule(BATCH_MS);
    } catch (error) {
      this.#busy = false;
      if (error instanceof SignedOut) {
        this.#tell.saving('signed-out');
        return;
      }
      // Nothing is dropped: it is tried again, more slowly each time.
      this.#tell.saving('retrying');
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
      this.#schedule(error instanceof TooMany ? Math.max(this.#wait, error.waitMs) : this.#wait);
    }
  }

  #nextBatch(): object[] {
    const batch: object[] = [];
    let size = 0;
    for (const statement of this.#statements) {
      size += JSON.stringify(statement).length;
      if (batch.length > 0 && (batch.length === 50 || size > BATCH_CHARACTERS)) break;
      batch.push(statement);
    }
    return batch;
  }

  async #saveState(): Promise<void> {
    const data = this.#state;
    if (data === undefined || this.#movedOn) {
      this.#state = undefined;
      return;
    }
    const { saveUserState } = await request(SaveUserState, {
      input: { ...this.#of, data, baseVersion: this.#version },
    });
    if (saveUserState.__typename === 'NotSignedIn') throw new SignedOut();
    if (this.#state === data) this.#state = undefined;
    if (saveUserState.__typename === 'SaveUserStatePayload') this.#version = saveUserState.version;
    else if (saveUserState.code === 'STATE_MOVED_ON') this.#movedOn = true;
  }
}
