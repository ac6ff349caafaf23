/** Writes every text that is made from the sources: `npm run generate`. Running it twice changes nothing. */
import { writeFileSync } from 'node:fs'
import { commandLinePage } from './generate/command-line.ts'
import { configurationPage, configurationSchema } from './generate/configuration.ts'
import { operationsPage } from './generate/operations.ts'
import { replicationReasonsPage } from './generate/replication-reasons.ts'

/** A generated file, relative to the root of the repository. Each new one is a line here. */
export interface GeneratedText {
  readonly file: string
  readonly text: () => string
}

export const generatedTexts: readonly GeneratedText[] = [
  { file: 'docs/configuration.md', text: configurationPage },
  { file: 'config/farshore.schema.json', text: configurationSchema },
  { file: 'docs/command-line.md', text: commandLinePage },
  { file: 'docs/operations.md', text: operationsPage },
  { file: 'docs/replication-reasons.md', text: replicationReasonsPage },
]

if (import.meta.main) {
  for (const { file, text } of generatedTexts) {
    writeFileSync(new URL(`../${file}`, import.meta.url), text())
    process.stdout.write(`${file}\n`)
  }
}
