import { AwsError } from './aws-error.ts';

const NAME = /^[A-Za-z0-9/_+=.@!-]+$/;

/** Throws ValidationException, by whatever operation a secret is named so. */
export function refuseBadName(name: string): void {
  if (!NAME.test(name))
    throw new AwsError(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    );
}
