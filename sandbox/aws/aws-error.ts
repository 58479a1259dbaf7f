/** An error of the service: `code` is sent as `__type`, by which clients tell errors apart. */
export class AwsError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
  }
}

export const invalidParameter = (message: string) =>
  new AwsError('InvalidParameterException', message);

export const invalidRequest = (message: string) => new AwsError('InvalidRequestException', message);

export const notFound = (message: string) => new AwsError('ResourceNotFoundException', message);

export const alreadyExists = (message: string) => new AwsError('ResourceExistsException', message);

export const limitExceeded = (message: string) => new AwsError('LimitExceededException', message);
