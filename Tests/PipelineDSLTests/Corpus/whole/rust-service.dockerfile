# syntax=docker/dockerfile:1.7
FROM rust:1.80 AS chef
RUN cargo install cargo-chef --locked
WORKDIR /app

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS builder
COPY --from=planner /app/recipe.json recipe.json
# Build dependencies - this is the caching layer!
RUN --mount=type=cache,id=cargo,sharing=locked,target=/usr/local/cargo/registry cargo chef cook --release --recipe-path recipe.json
COPY . .
RUN --mount=type=ssh --mount=type=cache,id=cargo,sharing=locked,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/app/target \
    cargo build --release --bin service && cp target/release/service /usr/local/bin/

FROM debian:bookworm-slim AS runtime
COPY --link --from=builder /usr/local/bin/service /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/service"]
