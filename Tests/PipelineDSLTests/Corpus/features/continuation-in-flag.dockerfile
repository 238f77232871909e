FROM alpine
COPY --chown=10\
00 a /b
