/** All buckets of the caller's account: asked once, however many screens show them. */
import { useQuery } from '@tanstack/react-query'
import { listBuckets } from './s3.ts'
import { useSession } from './session.tsx'

export function useBuckets() {
  const { api, self } = useSession()
  return useQuery({ queryKey: ['buckets'], queryFn: ({ signal }) => listBuckets(api, self, signal) })
}
