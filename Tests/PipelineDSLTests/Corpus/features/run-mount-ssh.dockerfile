FROM alpine
RUN --mount=type=ssh git clone git@example.com:a/b
