import { expect, it } from 'vitest'
import { resolvePrincipals } from '../../src/access/principals.ts'
import { parsePolicy } from '../../src/model/policy-document.ts'
import type { PrincipalIds } from '../../src/model/policy-principal-ids.ts'

const ann = 'arn:aws:iam::111122223333:user/ann'
const trust = (AWS: unknown) =>
  parsePolicy(JSON.stringify({ Statement: { Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' } }), 'trust')

/** A region that hears of Ann after so many questions. */
function behind(questions: number) {
  const asked: (readonly string[])[] = []
  return {
    asked,
    async principalIds(arns: readonly string[]): Promise<PrincipalIds> {
      asked.push(arns)
      return asked.length > questions ? { [ann]: 'AIDAANN' } : {}
    },
  }
}

it('waits for a principal that this region has not heard of yet, and not for ever', async () => {
  const { signal } = new AbortController()
  expect(await resolvePrincipals(behind(0), trust(ann), signal)).toEqual({ [ann]: 'AIDAANN' })
  expect(await resolvePrincipals(behind(2), trust([ann, '111122223333', '*']), signal)).toEqual({ [ann]: 'AIDAANN' })
  await expect(resolvePrincipals(behind(100), trust(ann), signal)).rejects.toThrow(`Invalid principal in policy: "AWS":"${ann}"`)
})

it('asks for nobody where none is named, and no longer than the client waits', async () => {
  const { signal } = new AbortController()
  const nobody = behind(0)
  expect(await resolvePrincipals(nobody, trust(['111122223333', 'arn:aws:iam::111122223333:root', '*']), signal)).toEqual({})
  expect(nobody.asked).toEqual([])
  const gone = behind(100)
  await expect(resolvePrincipals(gone, trust(ann), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  expect(gone.asked).toHaveLength(1)
})
