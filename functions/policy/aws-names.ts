/** What Secrets Manager puts behind a secret's name in its ARN. A name itself may end so. */
export const OWN_CHARACTERS = '-[A-Za-z0-9]{6}';
export const SECRET_SUFFIX = new RegExp(`${OWN_CHARACTERS}$`);

/** A secret's name as its ARN has it, with the suffix, if there is one; any other text as it is. */
export const nameInArn = (reference: string): string => reference.replace(/^arn:.*:secret:/, '');
