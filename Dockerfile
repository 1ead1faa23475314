# Two images, built from this file for any architecture that Node's image has:
#
#   docker build -t audit-trace-exporter .                                  every command but `report` and `worker`
#   docker build -t audit-trace-exporter:report --target report .           with DuckDB, which `report` needs
#
# docs/image.md: user, paths, variables, memory.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Without scripts: they would download programs that only the tests run.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY rolldown.config.ts tsconfig.json ./
COPY packages packages
COPY src src
COPY docker docker
# What the command `assets` writes.
COPY grafana grafana
COPY prometheus prometheus
COPY deploy deploy
COPY docs/runbook.md docs/
RUN npm run --silent bundle
COPY LICENSE ./
# Readable by everybody, however strict the umask of the checkout is.
RUN mkdir -p /image/app /image/duckdb/node_modules /image/empty \
  && cp -r dist/program/. package.json LICENSE /image/app \
  && cp -r node_modules/@duckdb /image/duckdb/node_modules \
  && sh docker/system.sh /image/system $(find node_modules/@duckdb -name '*.node' -o -name '*.so') \
  && chmod -R u=rwX,go=rX /image/app /image/duckdb /image/empty

FROM scratch AS base
LABEL org.opencontainers.image.title="audit-trace-exporter" \
      org.opencontainers.image.description="Exact Prometheus metrics from the audit_trace.jsonl files of AI code generation builds" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    AUDIT_LISTEN=:9464 \
    AUDIT_STATE=/var/lib/audit-trace-exporter
COPY --from=build /image/system /
# New volumes inherit the owner of these directories.
COPY --from=build --chown=1000:1000 /image/empty /builds
COPY --from=build --chown=1000:1000 /image/empty /var/lib/audit-trace-exporter
COPY --from=build /image/app /app
# A number, so that Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 9464
VOLUME ["/var/lib/audit-trace-exporter"]
# Uses AUDIT_LISTEN and AUDIT_WEB_CONFIG. Set these instead of --listen and --web-config, which it cannot see.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/node", "/app/healthcheck.js"]
# Without --disable-sigusr1, SIGUSR1 opens a debugger until the program has set its own handler. The heap follows the
# container's memory limit: left alone, Node takes 256 MB below a limit of 512 MB, and the kernel kills it.
ENTRYPOINT ["/usr/local/bin/node", "--disable-sigusr1", "--max-semi-space-size=2", "--max-old-space-size-percentage=60", "/app/main.js"]
CMD ["watch", "/builds"]

FROM base AS report
COPY --from=build /image/duckdb/node_modules /app/node_modules

FROM base AS exporter
