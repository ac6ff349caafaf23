/** Large objects, many at a time. */
import { it } from 'vitest'
import { memory } from '../../scripts/rig/memory.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('takes little memory for large objects side by side', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(memory, context)
})
