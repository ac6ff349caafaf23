/** The power goes at some moment, and what it may not cost. */
import { it } from 'vitest'
import { power } from '../../scripts/rig/power.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('keeps what was acknowledged through power cuts', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(power, context)
})
