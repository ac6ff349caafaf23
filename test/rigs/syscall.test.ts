/** One call that fails, at a time, and what it may not cost. */
import { it } from 'vitest'
import { syscall } from '../../scripts/rig/syscall.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('loses nothing acknowledged when one call to the system fails or kills', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(syscall, context)
})
