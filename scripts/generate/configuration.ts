/** The reference page of all settings, and their JSON Schema, from the one schema in src/config. */
import { entryMeanings, listSettings, type Setting, settingsJsonSchema } from '../../src/config/settings.ts'

export function configurationSchema(): string {
  return `${JSON.stringify({ title: 'Farshore, the settings of one region', ...settingsJsonSchema() }, undefined, 2)}\n`
}

export function configurationPage(): string {
  const settings = listSettings()
  return `${introduction}\n${table(settings)}\n\n${entries()}`
}

const introduction = `<!-- Made by npm run generate from src/config/schema.ts. -->
# Settings

A region takes its settings from four places. What stands earlier here goes before what stands later:

1. flags: \`farshore server --set s3.port=9100\`
2. environment variables: \`FARSHORE_S3_PORT=9100\`; an empty one counts as absent
3. the YAML file of \`farshore server --config FILE\`
4. defaults

A name that is no setting is an error, and the message says which setting comes closest. Files and folders are relative to where they are
written: the YAML file, or the working directory. A list is written with commas in a variable or flag, \`regions\` as JSON.
\`farshore config check\` says whether settings are right; \`farshore config print\` shows what a region would run with, without secrets.
An editor completes and checks a file that begins with \`# yaml-language-server: $schema=…/config/farshore.schema.json\`.

\`farshore up\` writes one such file for each region, and keeps what you add to it.
A secret that everybody's documentation names, or that is shorter than 8 characters, is refused unless the region listens on 127.0.0.1 alone.
`

const entries = (): string => `## An entry of \`regions\`

| name | meaning |
|---|---|
| \`name\` | The name that clients put in the scope of a signature and in a location constraint. |
| \`endpoint\` | Where the other regions reach its S3 port: \`https://host:port\`. |
| \`publicUrl\` | Where clients reach its S3 port, as redirects to it say. Absent: the endpoint. |
| \`admin\` | Where the consoles of the other regions reach its admin port: \`https://host:port\`. Absent: they show what S3 and IAM say of it, and no more. |

## An entry of \`tiers\`

| name | meaning |
|---|---|
${entryRows('tiers')}
${entryRows('tiers', 'bucket')}
`

function entryRows(list: string, group?: string): string {
  const above = group === undefined ? '' : `${group}.`
  return entryMeanings(list, group)
    .map(([name, meaning]) => `| \`${above}${name}\` | ${meaning} |`)
    .join('\n')
}

function table(settings: readonly Setting[]): string {
  const rows = settings.map(
    (setting) => `| \`${setting.name}\` | ${variablesOf(setting)} | ${defaultOf(setting)} | ${meaningOf(setting)} |`,
  )
  return ['| setting | environment | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function variablesOf({ variables }: Setting): string {
  return variables.map((variable) => `\`${variable}\``).join(' ')
}

function defaultOf({ isRequired, defaultValue }: Setting): string {
  if (isRequired) return 'required'
  if (defaultValue === undefined) return ''
  return `\`${typeof defaultValue === 'string' ? defaultValue : JSON.stringify(defaultValue)}\``
}

function meaningOf({ description, choices }: Setting): string {
  const oneOf = choices === undefined ? '' : ` One of ${choices.map((choice) => `\`${choice}\``).join(', ')}.`
  return `${description}${oneOf}`.replace(/\|/g, '\\|')
}
