/** A disk that is slow, hangs, is full or takes no writes. */
import { it } from 'vitest'
import { disk } from '../../scripts/rig/disk.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('reads and tells its health while the disk does not take writes', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(disk, context)
})
