/** What a tier may answer instead of doing its work. The message is for people: it names the tier and what it said. */

/** It cannot be reached, is too slow, or asks for patience: later it may work. */
export class TierUnavailable extends Error {
  override readonly name = 'TierUnavailable'
}

/** There is no room left in it. */
export class TierFull extends Error {
  override readonly name = 'TierFull'
}

/** It does not let us: wrong credentials, no such bucket, a folder that may not be written, a tier that is no longer configured. */
export class TierRefused extends Error {
  override readonly name = 'TierRefused'
}

/** What it holds is not what was written. */
export class TierCorrupt extends Error {
  override readonly name = 'TierCorrupt'
}

/** It does not hold the blob. */
export class TierMissing extends Error {
  override readonly name = 'TierMissing'
}
