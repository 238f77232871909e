# syntax=docker/dockerfile:1

# The version of Go that builds and tests the service
ARG GO_VERSION=1.23
ARG ALPINE_VERSION=3.20

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine${ALPINE_VERSION} AS base
WORKDIR /src
RUN --mount=type=cache,target=/var/cache/apk,sharing=locked \
    apk add --update git make
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download -x

FROM base AS build
ARG TARGETOS TARGETARCH
ARG VERSION=dev
ENV CGO_ENABLED=0
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    # the linker drops symbols, which halves the binary
    GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/service ./cmd/service

FROM base AS test
RUN --mount=type=bind,target=. go test ./...

# What is delivered
FROM gcr.io/distroless/static:nonroot
LABEL org.opencontainers.image.source="https://example.com/team/service" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build --chown=65532:65532 /out/service /service
EXPOSE 8080/tcp
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=3s CMD ["/service", "-health"]
ENTRYPOINT ["/service"]
CMD ["-listen", ":8080"]
