/** A lot that lasts longer holds nobody else up. */
const SLOW_MS = 20;

/**
 * Lets calls that come while others are being dealt with wait for these, and then go together: the busier it is, the less each costs. One that
 * comes alone waits for nobody. Of what has the same key one goes at a time, in order.
 * @param deal deals with all of a lot, or fails and has done nothing of it; each is then tried by itself, so that one that can't be dealt
 * with fails alone.
 * @param most in a lot. @param atOnce lots under way before others wait: with two, one is made while the database is at another, and they are smaller.
 */
export function makeLots<Call, Answer>({
  keyOf,
  deal,
  most,
  atOnce,
}: {
  keyOf?: (call: Call) => string;
  deal: (calls: readonly Call[]) => Promise<readonly Answer[]>;
  most: number;
  atOnce: number;
}): (call: Call) => Promise<Answer> {
  interface Waiting {
    readonly call: Call;
    resolve(answer: Answer): void;
    reject(error: unknown): void;
  }
  let waiting: Waiting[] = [];
  const busy = new Set<string>();
  /** Lots that are on their way and not slow yet. */
  let underWay = 0;

  const dealWith = async (lot: readonly Waiting[]): Promise<void> => {
    try {
      const answers = await deal(lot.map(({ call }) => call));
      for (const [index, each] of lot.entries()) each.resolve(answers[index]!);
    } catch (error) {
      if (lot.length === 1) lot[0]!.reject(error);
      else for (const each of lot) await dealWith([each]);
    }
  };
  const go = (): void => {
    if (underWay === atOnce) return;
    const lot: Waiting[] = [];
    const left: Waiting[] = [];
    for (const each of waiting) {
      const key = keyOf?.(each.call);
      if (lot.length === most || (key !== undefined && busy.has(key))) left.push(each);
      else {
        if (key !== undefined) busy.add(key);
        lot.push(each);
      }
    }
    waiting = left;
    if (lot.length === 0) return;
    underWay += 1;
    let isSlow = false;
    const slow = setTimeout(() => {
      isSlow = true;
      underWay -= 1;
      go();
    }, SLOW_MS);
    void dealWith(lot).finally(() => {
      clearTimeout(slow);
      if (keyOf !== undefined) for (const each of lot) busy.delete(keyOf(each.call));
      if (!isSlow) underWay -= 1;
      go();
    });
  };
  let isSoon = false;
  return async (call) =>
    new Promise((resolve, reject) => {
      waiting.push({ call, resolve, reject });
      if (isSoon) return;
      isSoon = true;
      // After what has come in by now.
      setImmediate(() => {
        isSoon = false;
        go();
      });
    });
}
