/** As the policy has it (`cluster.oauth`). */
export interface Client {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Name of the secret, for errors. */
  readonly clientSecret: string;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly authMethod: 'post' | 'basic';
}
