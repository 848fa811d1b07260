import { request } from '../graphql.ts';
import type { SavingState } from '../parts/saving.tsx';
import type { LanguageCode } from '../language.tsx';
import { RecordStatements, SaveUserState } from './queries.ts';

/** The session has ended: nothing more can be saved from this page. */
class SignedOut extends Error {
  override name = 'SignedOut';
}

const BATCH_MS = 600;
const LONGEST_WAIT_MS = 30_000;

/**
 * Carries what a player says to the service: statements in small batches, kept until they are acknowledged (a content says that
 * it was completed only once), and the newest state, one save at a time, over the version it was made from.
 */
export class PlayerSession {
  readonly #of: { assignmentId: string; activityKey: string; language: LanguageCode };
  readonly #tell: { saving: (state: SavingState) => void; completed: () => void };
  #version: number;
  #statements: object[] = [];
  #state: string | undefined;
  #busy = false;
  #movedOn = false;
  #wait = BATCH_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    {
      version,
      ...of
    }: { assignmentId: string; activityKey: string; language: LanguageCode; version: number },
    tell: { saving: (state: SavingState) => void; completed: () => void },
  ) {
    this.#of = of;
    this.#version = version;
    this.#tell = tell;
  }

  statement(statement: object): void {
    // With an id of its own a statement that is sent twice counts once.
    this.#statements.push('id' in statement ? statement : { id: crypto.randomUUID(), ...statement });
    this.#schedule(BATCH_MS);
  }

  state(data: string): void {
    this.#state = data;
    this.#schedule(BATCH_MS);
  }

  /** Sends what is left; the page may be on its way out. */
  close(): void {
    clearTimeout(this.#timer);
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
      while (this.#statements.length > 0) {
        const batch = this.#statements.slice(0, 50);
        const { recordStatements } = await request(RecordStatements, {
          input: { ...this.#of, statements: batch },
        });
        if (recordStatements.__typename === 'NotSignedIn') throw new SignedOut();
        this.#statements = this.#statements.slice(batch.length);
        if (
          recordStatements.__typename === 'RecordStatementsPayload' &&
          recordStatements.progress.state === 'COMPLETED'
        )
          this.#tell.completed();
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
      this.#schedule(this.#wait);
    }
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
