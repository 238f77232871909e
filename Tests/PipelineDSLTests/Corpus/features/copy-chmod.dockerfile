FROM alpine
COPY --chmod=u=rwX,go= a /b
