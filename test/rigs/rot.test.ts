/** The rot goes at some moment, and what it may not cost. */
import { it } from 'vitest'
import { rot } from '../../scripts/rig/rot.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('hands out no wrong bytes when files rot', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(rot, context)
})
