# Portico as a container image; docs/container.md says how to run it.
# Any image with Node.js 24 and npm, glibc 2.38 or newer and a user `node` will do.
ARG NODE_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS production-dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# `npm install`, because the lock file holds the native parts of the platform that made it and npm picks those of this one.
RUN npm install --omit=dev --no-audit --no-fund --no-update-notifier && npm cache clean --force

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm install --no-audit --no-fund --no-update-notifier && npm cache clean --force
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

# `--target test`: the unit, integration and process tests on this image's Node.js and C library.
FROM build AS test
COPY . .
RUN chown -R node:node /app
USER node
ENV PORTICO_TEST_PREBUILT=1
CMD ["node", "--import", "tsx", "scripts/test.ts", "unit", "integration", "process"]

FROM ${NODE_IMAGE} AS runtime
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Portico" \
      org.opencontainers.image.description="The front server of a web application: static files, load balancing, metrics" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
WORKDIR /app
# Owned by root, so that the program cannot change itself.
COPY package.json LICENSE ./
COPY --from=production-dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8080 9180
STOPSIGNAL SIGTERM
# Asks the admin listener; PORTICO_HEALTH_URL says where, when `admin.address` is not the default.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.PORTICO_HEALTH_URL || 'http://127.0.0.1:9180/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: node is process 1 and gets the signals itself.
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve", "-c", "/etc/portico/portico.yaml"]
