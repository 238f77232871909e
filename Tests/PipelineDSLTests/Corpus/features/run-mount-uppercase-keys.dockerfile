FROM alpine
RUN --mount=TYPE=cache,Target=/x true
