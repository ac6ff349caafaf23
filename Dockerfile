ARG NODE_IMAGE=node:26-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package needs its install script: better-sqlite3 brings its binaries, and the image is the pinned Node.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# better-sqlite3 carries SQLite's sources and binaries for other systems: two thirds of node_modules that nothing here loads.
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && cd node_modules/better-sqlite3 && rm -rf deps src binding.gyp && find prebuilds -type f ! -name 'linux*' -delete \
  && node -e "new (require('better-sqlite3'))(':memory:')"

FROM ${NODE_IMAGE}
# The second: see bin/farshore.js.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /farshore
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE ./
COPY bin ./bin
COPY config ./config
# A new named volume takes the owner of the folder it is mounted on.
RUN mkdir -p /data /secrets && chown node:node /data /secrets && chmod 700 /data /secrets
USER node
VOLUME /data
EXPOSE 9000 9001
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.FARSHORE_S3_PORT || 9000) + '/_health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/farshore/bin/farshore.js"]
CMD ["server", "--config", "/farshore/config/single.yaml"]
