FROM alpine AS build
FROM alpine
RUN --mount=from=build,source=/out,target=/in,ro ls /in
