#!/bin/sh
# Puts the current token of a secret into a file: read-token.sh keyturn/prod/telegraf /run/keyturn/telegraf
# Needs the AWS CLI (version 1 takes the Region from AWS_DEFAULT_REGION, not from AWS_REGION), and secretsmanager:GetSecretValue on that secret.
set -eu
umask 077
secret=$1
file=$2

value=$(aws secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text)
token=$(printf '%s' "$value" | sed -n 's/.*"token" *: *"\([^"]*\)".*/\1/p')
# The file stays as it is: its token works through its grace period.
[ -n "$token" ] || { echo "found no \"token\" in the secret $secret" >&2; exit 1; }

# In one step, so that nobody reads half a file; and without a newline, which would be sent with the token.
printf '%s' "$token" >"$file.next"
mv "$file.next" "$file"
