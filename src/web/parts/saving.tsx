import { useLanguage } from '../language.tsx';

/** How saving stands. `signed-out`: the session has ended, and what is on the page is not kept any more. */
export type SavingState = 'idle' | 'saving' | 'saved' | 'retrying' | 'signed-out' | 'moved-on';

export function SavingLine({ state }: { state: SavingState }) {
  const { t } = useLanguage();
  const text = {
    idle: '',
    saving: t.saving,
    saved: t.saved,
    retrying: t.notSaved,
    'signed-out': t.refusal['NOT_SIGNED_IN'],
    'moved-on': '',
  }[state];
  return (
    <p className={`saving saving-${state}`} role="status">
      {text}
    </p>
  );
}
