# syntax=docker/dockerfile:1

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without scripts: the base image contains Node, so the download by the `node` package is not needed.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/node node_modules/.bin/node

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
    AUDIT_LISTEN=:9464 \
    AUDIT_STATE=/var/lib/audit-trace-exporter
# New volumes inherit the owner of these directories.
RUN mkdir -p /builds "$AUDIT_STATE" && chown node:node /builds "$AUDIT_STATE"
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY docker docker
USER node
EXPOSE 9464
VOLUME ["/var/lib/audit-trace-exporter"]
# Uses AUDIT_LISTEN and AUDIT_WEB_CONFIG. Set these instead of --listen and --web-config, which it cannot see.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "docker/healthcheck.ts"]
# Without the flag, SIGUSR1 opens a debugger until the program has set its own handler.
ENTRYPOINT ["node", "--disable-sigusr1", "src/main.ts"]
CMD ["watch", "/builds"]
