# The image of agent and controller. `make image` assembles the same root file system without a container engine, and the tests run
# that one; this file is for whoever has an engine. Pin both bases by digest at a release:
#   docker buildx build --platform linux/amd64,linux/arm64 \
#     --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:… --build-arg BASE_IMAGE=gcr.io/distroless/cc-debian12@sha256:… .
ARG NODE_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12

FROM ${NODE_IMAGE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends libcap2-bin && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tools ./tools
COPY src ./src
RUN node tools/build.js
# Two copies of Node.js: one with the capability to read the namespaces of processes that are not its own, for the agent; a plain one,
# because a program with a file capability does not start where the capability is not in the bounding set.
RUN cp /usr/local/bin/node /node-ptrace && setcap cap_sys_ptrace+ep /node-ptrace

# The C library, and no shell: nothing is started at run time but Node.js.
FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="userns-audit" \
      org.opencontainers.image.description="Know, enforce and prove Linux user-namespace isolation" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /node-ptrace /usr/local/bin/node-ptrace
COPY --from=build /src/dist /app
COPY LICENSE /licenses/userns-audit/LICENSE
ENV NODE_ENV=production
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "/app/userns-audit.cjs"]
