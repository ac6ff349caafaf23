/**
 * What operations may use besides their input. Empty here, because the wire knows none of it: the composition adds its members by
 * declaration (`declare module '../s3/services.ts' { interface Services { … } }`) and gives the object to the server.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface Services {}
