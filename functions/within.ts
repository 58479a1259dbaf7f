/** What was asked has not answered whole in the time that it was given. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';

  constructor(milliseconds: number) {
    super(`no complete answer within ${milliseconds / 1_000} s`);
  }
}

/** It was not sent, since it could take effect after the end of the run. Nothing was done. */
export class TooLateError extends Error {
  override readonly name = 'TooLateError';

  constructor(place: string) {
    super(`${place} was not sent: the time of the run is over`);
  }
}

/**
 * Runs a call for at most so many milliseconds, from connecting to the last byte of the answer. Then it rejects
 * with a `TimeoutError`, and `signal` tells the call to stop; whether it does is not waited for, since nothing that
 * a server does or leaves undone may keep a run.
 */
export async function within<T>(
  milliseconds: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new TimeoutError(milliseconds);
      reject(error);
      ending.abort(error);
    }, milliseconds);
  });
  try {
    return await Promise.race([call(ending.signal), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
