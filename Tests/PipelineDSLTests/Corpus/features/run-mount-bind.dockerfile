FROM alpine
RUN --mount=type=bind,source=.,target=/src ls /src
