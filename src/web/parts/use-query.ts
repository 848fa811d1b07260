import { useCallback, useEffect, useState } from 'react';
import { RequestFailed } from '../graphql.ts';

export type QueryState<T> =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly error: RequestFailed }
  | { readonly status: 'ready'; readonly data: T };

/** Asks when the page comes up and whenever `key` changes; the last answer stays on screen while a newer one is on its way. */
export function useQuery<T>(ask: () => Promise<T>, key: string): QueryState<T> & { reload: () => void } {
  const [state, setState] = useState<QueryState<T>>({ status: 'loading' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let current = true;
    ask().then(
      (data) => current && setState({ status: 'ready', data }),
      (error: unknown) =>
        current &&
        setState({
          status: 'failed',
          error: error instanceof RequestFailed ? error : new RequestFailed(String(error)),
        }),
    );
    return () => {
      current = false;
    };
    // `key` stands for all that `ask` depends on.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [key, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...state, reload };
}
