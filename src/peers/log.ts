/** The part of a logger that messages between regions use; pino has it. */
export interface PeerLog {
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
}
