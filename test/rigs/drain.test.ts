/** A region that is told to stop lets go of what it has begun cleanly, and in time. */
import { it } from 'vitest'
import { drain } from '../../scripts/rig/drain.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('finishes or cuts what is in flight when it is stopped, and shows nothing half', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(drain, context)
})
