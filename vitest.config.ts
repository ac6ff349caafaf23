import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real servers, real disks: a slow machine gets time, a hang still ends.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Many tests wait for disks and deadlines: two at a time on two cores, where vitest would run one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Its own process for each file: signals, exit codes and native modules behave as they do in a server.
    pool: 'forks',
    // Behaviour that depends on the order of tests is a fault in one of them.
    sequence: { shuffle: true },
    // The credentials and settings of whoever runs the tests are not theirs to see.
    env: { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' },
  },
})
