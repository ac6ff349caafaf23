/** More is asked of a region than it can do. */
import { it } from 'vitest'
import { overloadRig } from '../../scripts/rig/overload.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('does what it can when it is asked for more, and refuses the rest', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(overloadRig, context)
})
