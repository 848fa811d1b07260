import { setTimeout as sleep } from 'node:timers/promises';
import { inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import { HEAD_FORM, isMacOf, macOf, NOTHING, sealEntry, sealKey, type Head, type Seal } from './seal.ts';
import {
  findHead,
  hasSeals,
  hasUnsealed,
  insertSeals,
  takeUnsealed,
  tryLockSealing,
} from './seal.repository.ts';

const SEAL_EVERY_MS = 500;
/** Sealed in one transaction. */
const BATCH = 1_000;
/** The same trouble is told so often. */
const TELL_EVERY_MS = 60_000;

export type SealingService = ReturnType<typeof makeSealingService>;

/**
 * Links committed entries into the chain, in the order in which it finds them, apart from the transactions that wrote them: nobody waits
 * for it, and a long transaction that commits late is sealed late. Its work is done in one transaction or not at all, so a crash loses
 * and doubles nothing.
 */
export function makeSealingService({
  db,
  identityKey,
  log,
}: {
  db: Database;
  identityKey: Uint8Array;
  log: Log;
}) {
  const key = sealKey(identityKey);

  /** @returns how many were sealed. */
  const sealBatch = async (): Promise<number> =>
    db.transaction().execute(async (tx) => {
      if (!(await tryLockSealing(tx))) return 0;
      // Not the last seal, which whoever cuts the chain off decides, but the end that was signed.
      const head = await findHead(tx);
      if (head === undefined && (await hasSeals(tx)))
        throw new Error('The end of the journal’s chain is gone (journal_head): see src/journal/README.md.');
      if (head !== undefined && !isMacOf(head.mac, HEAD_FORM, head, key))
        log.error(
          { seq: String(head.seq) },
          'the end of the journal’s chain is not under this service’s key: run journal:check',
        );
      const { now, entries } = await takeUnsealed(tx, BATCH);
      if (entries.length === 0) return 0;
      let end: Head = head ?? NOTHING;
      const seals: Seal[] = [];
      for (const entry of entries) {
        const seal = sealEntry(entry, end, now, key);
        seals.push(seal);
        end = seal;
      }
      const { seq, hash } = end;
      await insertSeals(tx, seals, { seq, hash, mac: macOf(HEAD_FORM, end, key) });
      return entries.length;
    });

  const service = {
    /** Seals what is committed by now, unless another sealer is at it. */
    async seal(): Promise<void> {
      if (!(await hasUnsealed(db))) return;
      while ((await sealBatch()) === BATCH);
    },

    /** Seals as long as the service runs. @returns how to stop, which seals what is left. */
    startSealing(): () => Promise<void> {
      const stopping = new AbortController();
      let told = 0;
      const work = async (): Promise<void> => {
        try {
          await sealing.seal();
        } catch (error) {
          if (performance.now() - told < TELL_EVERY_MS && told !== 0) return;
          told = performance.now();
          log.error({ error: String(error) }, 'the journal could not be sealed; trying again');
        }
      };
      const working = (async () => {
        while (!stopping.signal.aborted) {
          await work();
          await sleep(SEAL_EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
        }
      })();
      return async () => {
        stopping.abort();
        await working;
        await work();
      };
    },
  };
  // Also at the end, when whoever stops it is nobody.
  const sealing = inParts({ seal: 'keeper', startSealing: 'keeper' }, service);
  return sealing;
}
