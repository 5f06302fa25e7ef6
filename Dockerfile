# The image of Marquee: one static program, no shell, not root.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=v1.2.3 .
#
# `prebuilt` needs no public base: it takes the program from bin/image, where `make image` builds it. `make image` itself
# writes the same image as an archive without any engine, the same bytes each time.

FROM scratch AS prebuilt
ARG TARGETARCH=amd64
COPY bin/image/ca-certificates.crt /etc/ssl/certs/
COPY bin/image/${TARGETARCH}/marquee /
USER 65532:65532
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
EXPOSE 8080 9090
ENTRYPOINT ["/marquee"]
CMD ["serve"]

# GraphiQL and the REST docs, which the program embeds. The same for all platforms.
FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-progress
COPY web/ ./
RUN npm run --silent build

# Cross-compiled: the compiler runs on the machine's own platform.
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
COPY --from=web /src/web/dist/ web/dist/
ARG TARGETOS=linux TARGETARCH VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$VERSION" -o /root-fs/marquee ./cmd/marquee && \
    mkdir -p /root-fs/etc/ssl/certs /root-fs/tmp && chmod 1777 /root-fs/tmp && \
    cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ && \
    printf 'root:x:0:0:root:/:/nologin\nmarquee:x:65532:65532:marquee:/:/nologin\n' >/root-fs/etc/passwd && \
    printf 'root:x:0:\nmarquee:x:65532:\n' >/root-fs/etc/group

FROM scratch
COPY --from=build /root-fs/ /
USER 65532:65532
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
EXPOSE 8080 9090
ARG VERSION=dev REVISION=
LABEL org.opencontainers.image.title="marquee" \
      org.opencontainers.image.description="Event listings of many providers, one fast GraphQL API" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/aledotdev/marquee" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENTRYPOINT ["/marquee"]
CMD ["serve"]
