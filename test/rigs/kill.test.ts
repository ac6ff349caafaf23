/** `kill -9` at any moment loses nothing that was acknowledged. */
import { it } from 'vitest'
import { kill } from '../../scripts/rig/kill.ts'
import { expectShortForm, shortFormMaxMs } from './short-form.ts'

it('holds every acknowledged write and delete when it is killed under load', { timeout: shortFormMaxMs }, async (context) => {
  await expectShortForm(kill, context)
})
