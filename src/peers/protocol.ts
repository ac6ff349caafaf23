/** What every message between regions has in common. */

/** Raised with every change that a region of the version before could not understand. */
export const protocolVersion = '1'

/** On each message and on each answer. An answer without it does not come from a region's own routes. */
export const protocolHeader = 'x-farshore-protocol'
/** On each answer: the name of the region that gives it. */
export const regionHeader = 'x-farshore-region'

export const peerPrefix = '/_peer/'
export const readyPath = '/_health/ready'

/** Of a JSON body, either way. */
export const jsonMaxBytes = 1024 * 1024
