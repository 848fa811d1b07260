import { useRef, useState } from 'react';
import { request } from '../graphql.ts';
import type { SavingState } from '../parts/saving.tsx';
import { SaveResponse } from './queries.ts';

/**
 * Saves answers in order, the newest of each question, again and again until the service has them, also when the teacher has
 * gone to another page meanwhile.
 */
export function useSaving(attemptId: string, closed: () => void) {
  const [saving, setSaving] = useState<SavingState>('idle');
  const waiting = useRef(new Map<string, readonly string[]>());
  const running = useRef<Promise<void>>(undefined);

  const run = async (): Promise<void> => {
    let wait = 500;
    let outcome: SavingState = 'saved';
    while (waiting.current.size > 0) {
      const [[itemKey, chosen]] = [...waiting.current] as [[string, readonly string[]]];
      try {
        setSaving('saving');
        const { saveResponse } = await request(SaveResponse, {
          input: { attemptId, itemKey, chosen: [...chosen] },
        });
        if (waiting.current.get(itemKey) === chosen) waiting.current.delete(itemKey);
        wait = 500;
        if (saveResponse.__typename === 'SaveResponsePayload') continue;
        // Whatever else it is, saving again would not help.
        waiting.current.clear();
        if (saveResponse.code === 'NOT_SIGNED_IN') outcome = 'signed-out';
        else closed();
      } catch {
        setSaving('retrying');
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(wait * 2, 10_000);
      }
    }
    running.current = undefined;
    setSaving(outcome);
  };
  return {
    saving,
    save: (itemKey: string, chosen: readonly string[]): void => {
      waiting.current.set(itemKey, chosen);
      running.current ??= run();
    },
    settled: async (): Promise<void> => running.current,
  };
}
