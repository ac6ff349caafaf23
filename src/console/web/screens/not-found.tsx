/** An address that leads nowhere. */
import { Link } from '../lib/router.tsx'
import { Empty } from '../ui/parts.tsx'

export function NotFound() {
  return (
    <Empty title="There is nothing at this address.">
      <p>
        It may have been deleted, or the address is not whole. <Link href="/">Go to the overview</Link>
      </p>
    </Empty>
  )
}
