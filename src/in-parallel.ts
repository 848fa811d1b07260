/**
 * Does the same with each of many, some of them at once. Ends when all that was begun has ended, so that what they share can be closed.
 * @throws the first error; what had not begun by then is left.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnce: number,
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items].toReversed();
  const work = async (): Promise<void> => {
    try {
      while (waiting.length > 0) await act(waiting.pop()!);
    } catch (error) {
      waiting.length = 0;
      throw error;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, work));
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
