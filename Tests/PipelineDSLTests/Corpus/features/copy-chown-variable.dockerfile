FROM alpine
ARG U=app
COPY --chown=${U}:$U a /b
